//! What every model is told of one: instructions in one's own words, and where one is; with the prompt that comes
//! of it.

use super::Part;
use crate::client::api::{self, Method};
use crate::client::json::fetched;
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::button::{Button, Look, Submit};
use crate::components::field::Field;
use crate::components::states::{Skeleton, Trouble};
use crate::components::toast::{Toasts, use_toasts};
use crate::pages::Sheet;
use leptos::prelude::*;
use shared::context::{Location, PreviewPrompt, PromptPreview, PromptSettings, Weather};

/// What instructions may speak of, and what each stands for.
const VARIABLES: [(&str, &str); 7] = [
    ("{{name}}", "your name"),
    ("{{date}}", "today"),
    ("{{time}}", "the time where you are"),
    ("{{time_zone}}", "your time zone"),
    ("{{place}}", "your place, as your profile says it"),
    ("{{weather}}", "the weather there"),
    ("{{document}}", "the note that is open beside the conversation"),
];

#[component]
pub fn ModelsPage() -> impl IntoView {
    let found = fetched(|| (), |()| api::get::<PromptSettings>("/me/prompt"));
    view! {
        <Sheet title="What models know of you" lead="Every model is told this before each answer, whoever runs it.">
            <Suspense fallback=|| view! { <Skeleton rows=6/> }>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok(settings) => view! { <Forms settings/> }.into_any(),
                        Err(problem) => view! { <Trouble problem retry=move |()| found.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </Sheet>
    }
}

/// What is being written, and what is kept of it.
#[derive(Clone, Copy)]
struct Forms {
    instructions: RwSignal<String>,
    latitude: RwSignal<String>,
    longitude: RwSignal<String>,
    kept: RwSignal<PromptSettings>,
}

#[component]
fn Forms(settings: PromptSettings) -> impl IntoView {
    let degrees = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let forms = Forms {
        instructions: RwSignal::new(settings.instructions.clone()),
        latitude: RwSignal::new(degrees(settings.location.map(|place| place.latitude))),
        longitude: RwSignal::new(degrees(settings.location.map(|place| place.longitude))),
        kept: RwSignal::new(settings),
    };
    view! {
        <Part title="Instructions"><Instructions forms/></Part>
        <Part title="The prompt that comes of it" lead="As a model would read it now, with what is written above.">
            <Preview forms/>
        </Part>
        <Part title="Where you are" lead="For the weather alone, and to about a kilometre. Nothing is asked of anybody until you say where you are; a weather service then sees the place, not who you are.">
            <Place forms/>
        </Part>
    }
}

impl Forms {
    fn save(
        self,
        attempt: Attempt,
        change: impl FnOnce(&mut PromptSettings),
        done: impl FnOnce(Self) + 'static,
    ) {
        let mut wanted = self.kept.get_untracked();
        change(&mut wanted);
        attempt.run(api::send::<PromptSettings>(Method::Put, "/me/prompt", &wanted), move |kept| {
            self.kept.set(kept);
            done(self);
        });
    }
}

#[component]
fn Instructions(forms: Forms) -> impl IntoView {
    let (attempt, toasts) = (Attempt::new(), use_toasts());
    let save = move || {
        let instructions = forms.instructions.get_untracked();
        forms.save(
            attempt,
            |wanted| wanted.instructions = instructions,
            move |_| toasts.say("Instructions saved."),
        );
    };
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); save(); }>
            <AttemptNote attempt/>
            <label class="field">
                <span>"In your words"</span>
                <textarea rows="7" maxlength="20000" placeholder="I am {{name}}. Answer briefly. I know Rust well and cooking not at all."
                    prop:value=move || forms.instructions.get()
                    on:input=move |event| forms.instructions.set(event_target_value(&event))>
                    {forms.instructions.get_untracked()}
                </textarea>
            </label>
            <details class="variables">
                <summary>"Words that stand for something"</summary>
                <dl>
                    {VARIABLES.into_iter().map(|(name, meaning)| view! { <div><dt><code>{name}</code></dt><dd>{meaning}</dd></div> }).collect_view()}
                </dl>
            </details>
            <p class="form-foot"><Submit busy=attempt.busy>"Save the instructions"</Submit></p>
        </form>
    }
}

#[component]
fn Preview(forms: Forms) -> impl IntoView {
    let attempt = Attempt::new();
    let system = RwSignal::new(None::<String>);
    let show = move |()| {
        let wanted = PreviewPrompt {
            instructions: Some(forms.instructions.get_untracked()),
            text: true,
            ..PreviewPrompt::default()
        };
        attempt.run(api::send::<PromptPreview>(Method::Post, "/prompt/preview", &wanted), move |preview| {
            system.set(Some(preview.system));
        });
    };
    view! {
        <AttemptNote attempt/>
        <p class="form-foot"><Button busy=attempt.busy on_click=show>"Show the prompt"</Button></p>
        {move || system.get().map(|text| view! { <pre class="prompt-preview" tabindex="0" aria-label="The prompt">{text}</pre> })}
    }
}

#[component]
fn Place(forms: Forms) -> impl IntoView {
    let (attempt, toasts) = (Attempt::new(), use_toasts());
    let weather = RwSignal::new(None::<Weather>);
    let told = move |weather_now: Option<Weather>| {
        toasts.say(match &weather_now {
            Some(weather) => format!("Saved. There it is {}.", weather.line),
            None => "Saved. The weather there is not known just now.".to_owned(),
        });
        weather.set(weather_now);
    };
    let keep = move |location: Location| {
        forms.save(
            attempt,
            |wanted| wanted.location = Some(location),
            move |forms| {
                let kept = forms.kept.get_untracked().location;
                forms.latitude.set(kept.map(|kept| kept.latitude.to_string()).unwrap_or_default());
                forms.longitude.set(kept.map(|kept| kept.longitude.to_string()).unwrap_or_default());
                attempt.run(api::get::<Option<Weather>>("/weather"), told);
            },
        );
    };
    let typed = move || {
        let degrees = |text: RwSignal<String>| text.get_untracked().trim().replace(',', ".").parse::<f64>();
        match (degrees(forms.latitude), degrees(forms.longitude)) {
            (Ok(latitude), Ok(longitude)) => keep(Location { latitude, longitude }),
            _ => toasts.say("Write both as numbers, such as 38.72 and -9.14."),
        }
    };
    let forget = move |()| {
        forms.save(
            attempt,
            |wanted| wanted.location = None,
            move |forms| {
                forms.latitude.set(String::new());
                forms.longitude.set(String::new());
                weather.set(None);
                toasts.say("Forgotten.");
            },
        );
    };
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); typed(); }>
            <AttemptNote attempt/>
            <div class="degrees">
                <Field label="Latitude" value=forms.latitude placeholder="38.72"/>
                <Field label="Longitude" value=forms.longitude placeholder="-9.14"/>
            </div>
            <p class="form-foot">
                <Submit look=Look::Quiet busy=attempt.busy>"Keep this place"</Submit>
                <Button look=Look::Plain busy=attempt.busy on_click=move |()| ask_browser(Callback::new(keep), toasts)>"Ask this browser"</Button>
                {move || forms.kept.with(|kept| kept.location.is_some()).then(|| view! {
                    <Button look=Look::Plain busy=attempt.busy on_click=forget>"Forget where I am"</Button>
                })}
            </p>
            {move || weather.get().map(|weather| view! { <p class="standing">{weather.details}</p> })}
        </form>
    }
}

/// The browser asks the person before it says.
fn ask_browser(found: Callback<Location>, toasts: Toasts) {
    #[cfg(feature = "hydrate")]
    {
        use js_sys::{Function, Reflect};
        use wasm_bindgen::closure::Closure;
        use wasm_bindgen::{JsCast, JsValue};
        let get = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED);
        let geolocation = get(&window().navigator(), "geolocation");
        let Ok(ask) = get(&geolocation, "getCurrentPosition").dyn_into::<Function>() else { return };
        let yes = Closure::once_into_js(move |position: JsValue| {
            let coordinates = get(&position, "coords");
            let degrees = |name: &str| get(&coordinates, name).as_f64();
            if let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) {
                found.run(Location { latitude, longitude });
            }
        });
        let no = Closure::once_into_js(move |_: JsValue| {
            toasts.say("This browser does not say where it is. Write it instead.");
        });
        crate::client::document::note(ask.call2(&geolocation, &yes, &no));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (found, toasts);
}
