//! Who one is: name, picture, time zone, place.

use super::Part;
use crate::client::api::{self, Method};
use crate::client::session::use_session;
use crate::components::attempt::{Attempt, AttemptNote};
use crate::components::avatar::Avatar;
use crate::components::button::{Button, Look, Submit};
use crate::components::field::Field;
use crate::components::toast::use_toasts;
use crate::pages::Sheet;
use leptos::prelude::*;
use shared::account::{Profile, UpdateProfile};

/// As the server takes it.
const LARGEST_PICTURE_BYTES: f64 = 256.0 * 1024.0;

#[component]
pub fn ProfilePage() -> impl IntoView {
    view! {
        <Sheet title="Profile" lead="How others see you, and what a model may know of you.">
            <Part title="Picture"><Picture/></Part>
            <Part title="About you"><About/></Part>
        </Sheet>
    }
}

#[component]
fn About() -> impl IntoView {
    let profile = use_session().profile;
    let toasts = use_toasts();
    let attempt = Attempt::new();
    let now = profile.get_untracked();
    let name = RwSignal::new(now.display_name);
    let time_zone = RwSignal::new(now.time_zone);
    let place = RwSignal::new(now.place);
    let save = move || {
        let change = UpdateProfile {
            display_name: Some(name.get_untracked()),
            time_zone: Some(time_zone.get_untracked().trim().to_owned()),
            place: Some(place.get_untracked().trim().to_owned()),
        };
        attempt.run(api::send::<Profile>(Method::Patch, "/me", &change), move |saved| {
            profile.set(saved);
            toasts.say("Profile saved.");
        });
    };
    view! {
        <form class="form" on:submit=move |event| { event.prevent_default(); save(); }>
            <AttemptNote attempt/>
            <Field label="Name" value=name autocomplete="name"/>
            <label class="field"><span>"E-mail"</span><input type="email" readonly value=now.email/></label>
            <Field label="Time zone" value=time_zone placeholder="As this browser has it"
                hint="A name like Europe/Lisbon. Empty: the browser’s."/>
            <Field label="Place" value=place placeholder="Lisbon" hint="In your words. Models are told it. Empty: not said."/>
            <p class="form-foot"><Submit busy=attempt.busy>"Save the profile"</Submit></p>
        </form>
    }
}

#[component]
fn Picture() -> impl IntoView {
    let profile = use_session().profile;
    let attempt = Attempt::new();
    let removed = move |saved: Profile| profile.set(saved);
    let remove = move || attempt.run(api::delete::<Profile>("/me/picture"), removed);
    view! {
        <AttemptNote attempt/>
        <div class="picture">
            <span class="picture-big"><Avatar profile/></span>
            <label class="button">
                "Choose a picture"
                <input class="visually-hidden" type="file" accept="image/png,image/jpeg,image/webp"
                    on:change=move |event| send_picture(&event, attempt, profile)/>
            </label>
            {move || profile.with(|profile| profile.picture_url.is_some()).then(|| view! {
                <Button look=Look::Plain busy=attempt.busy on_click=move |()| remove()>"Remove"</Button>
            })}
            <small>"PNG, JPEG or WebP, at most 256 KB. Without one, your initials."</small>
        </div>
    }
}

fn send_picture(event: &leptos::ev::Event, attempt: Attempt, profile: RwSignal<Profile>) {
    #[cfg(feature = "hydrate")]
    {
        use shared::{ErrorCode, Problem};
        use wasm_bindgen::JsCast;
        let Some(field) =
            event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok())
        else {
            return;
        };
        let Some(file) = field.files().and_then(|files| files.get(0)) else { return };
        field.set_value("");
        let call: api::Call<Profile> = Box::pin(send_wrapper::SendWrapper::new(async move {
            if file.size() > LARGEST_PICTURE_BYTES {
                return Err(Problem::new(
                    ErrorCode::PayloadTooLarge,
                    "The picture is larger than 256 KB. Choose a smaller one.",
                ));
            }
            let bytes = wasm_bindgen_futures::JsFuture::from(file.array_buffer()).await.map_err(|_| {
                Problem::new(ErrorCode::InvalidInput, "The file could not be read. Choose it again.")
            })?;
            let bytes = js_sys::Uint8Array::new(&bytes).to_vec();
            api::send_bytes::<Profile>(Method::Put, "/me/picture", bytes, file.type_()).await
        }));
        attempt.run(call, move |saved| profile.set(saved));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (event, attempt, profile, LARGEST_PICTURE_BYTES);
}
