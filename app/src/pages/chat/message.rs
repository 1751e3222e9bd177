//! A message: who wrote it, what it says, how it stands, and what can be done with it.

use super::attaching;
use super::body::Body;
use super::meter;
use super::models::short_name;
use super::parts::{ALL, is_active};
use super::thread::{Delivery, Item};
use super::view::Shared;
use crate::client::document;
use crate::components::button::{Button, Look};
use crate::components::icon::{Icon, IconButton};
use crate::components::moment::Moment;
use crate::pages::memories::Used;
use leptos::prelude::*;
use shared::conversation::{Message, MessageRole, MessageStatus, StopReason};
use shared::{MessageId, Problem};

/// What one may answer with a sign, and what each is called.
const REACTIONS: [(&str, &str); 5] =
    [("👍", "Good"), ("👎", "Not good"), ("❤️", "Love it"), ("🎉", "Celebrate"), ("🤔", "Doubtful")];

#[component]
pub fn MessageView(item: Item, shared: Shared) -> impl IntoView {
    let role = item.message.with_untracked(|message| message.role);
    let class = match role {
        MessageRole::User => "message is-own",
        MessageRole::Assistant => "message is-answer",
    };
    let status = {
        let message = item.message.clone();
        Memo::new(move |_| message.with(|message| message.status))
    };
    // Until its last word is seen an answer looks as one that is being written.
    let is_settled = {
        let shown = item.shown.clone();
        Memo::new(move |_| !is_active(status.get()) && shown.get() == ALL)
    };
    let anchor = format!("m-{}", item.id);
    view! {
        <article class=class id=anchor class:is-active=move || !is_settled.get()>
            {author(&item, role)}
            {used_memories(&item)}
            <Body item=item.clone()/>
            {brought(&item)}
            {match role {
                MessageRole::User => delivery(item.clone(), shared),
                MessageRole::Assistant => standing(item.clone(), shared, status, is_settled),
            }}
            {sources(item.clone(), is_settled)}
            {move || is_settled.get().then(|| foot(item.clone(), shared, role))}
        </article>
    }
    .into_any()
}

/// What an own message attached; of an answer, what it had to do without.
fn brought(item: &Item) -> AnyView {
    let message = item.message.clone();
    let brought =
        Memo::new(move |_| message.with(|message| (message.attachments.clone(), message.given.clone())));
    view! {
        {move || brought.with(|(attached, given)| view! {
            {attaching::brought(attached)}
            {given.as_ref().map(meter::left_out)}
        })}
    }
    .into_any()
}

/// What an answer cites, once its last word is seen.
fn sources(item: Item, is_settled: Memo<bool>) -> AnyView {
    let message = item.message;
    let sources = Memo::new(move |_| message.with(|message| message.sources.clone().unwrap_or_default()));
    view! {
        {move || (is_settled.get() && !sources.with(Vec::is_empty)).then(|| sources.with(|sources| view! {
            <section class="sources" aria-label="Sources">
                <ol>
                    {sources.iter().map(|source| view! {
                        <li>
                            <a href=source.url.clone()>
                                {attaching::icon_of(source.kind).draw()}
                                <span class="source-title">{source.title.clone()}</span>
                                {source.place.clone().map(|place| view! { <span class="source-place">{place}</span> })}
                            </a>
                        </li>
                    }).collect_view()}
                </ol>
            </section>
        }))}
    }
    .into_any()
}

/// For the outline of the page; the eye tells by place and shape.
fn author(item: &Item, role: MessageRole) -> AnyView {
    match role {
        MessageRole::User => view! { <h2 class="visually-hidden">"You"</h2> }.into_any(),
        MessageRole::Assistant => {
            let message = item.message.clone();
            let model = Memo::new(move |_| message.with(model_name));
            view! { <h2 class="author">{model}</h2> }.into_any()
        }
    }
}

/// What the model was told of the person, where it was told anything.
fn used_memories(item: &Item) -> AnyView {
    let message = item.message.clone();
    let ids = Memo::new(move |_| message.with(|message| message.memories.clone()));
    view! { {move || (!ids.with(Vec::is_empty)).then(|| view! { <Used ids=ids.get()/> })} }.into_any()
}

fn model_name(message: &Message) -> String {
    message.model.as_deref().map(short_name).filter(|name| !name.is_empty()).unwrap_or("Answer").to_owned()
}

/// Whether an own message is on its way or did not get through.
fn delivery(item: Item, shared: Shared) -> AnyView {
    let id = item.id;
    view! {
        {move || match item.delivery.get() {
            Delivery::Arrived => ().into_any(),
            Delivery::Sending => view! { <p class="standing">"Sending"</p> }.into_any(),
            Delivery::Failed(problem) => not_sent(id, problem, shared),
        }}
    }
    .into_any()
}

fn not_sent(id: MessageId, problem: Problem, shared: Shared) -> AnyView {
    view! {
        <div class="standing is-problem" role="alert">
            <p>"Not sent. "{problem.error}</p>
            <Button on_click=move |()| shared.exchange.send_again(id)>"Try again"</Button>
            <Button look=Look::Plain on_click=move |()| {
                if let Some((text, brought)) = shared.exchange.take_back(id) {
                    shared.attaching.give_back(&brought);
                    shared.taken_back.set(Some(text));
                }
            }>"Back to the field"</Button>
        </div>
    }
    .into_any()
}

/// How an answer stands: waiting, begun, ended early; that it ended is said once its last word is seen.
fn standing(item: Item, shared: Shared, status: Memo<MessageStatus>, is_settled: Memo<bool>) -> AnyView {
    let running = shared.exchange.thread.running;
    let id = item.id;
    let has_begun = {
        let message = item.message.clone();
        Memo::new(move |_| message.with(|message| !message.content.is_empty() || !message.steps.is_empty()))
    };
    let waits =
        Memo::new(move |_| status.get() == MessageStatus::Pending && running.get().is_some_and(|r| r != id));
    let ended = {
        let message = item.message.clone();
        Memo::new(move |_| message.with(|message| (message.stop_reason, message.error.clone())))
    };
    view! {
        {move || match status.get() {
            MessageStatus::Pending if waits.get() => {
                view! { <p class="standing">"Waits for its turn: one answer at a time"</p> }.into_any()
            }
            MessageStatus::Pending | MessageStatus::Streaming if !has_begun.get() => {
                view! { <p class="standing is-going-on">"Beginning"</p> }.into_any()
            }
            MessageStatus::Pending | MessageStatus::Streaming => ().into_any(),
            MessageStatus::Complete | MessageStatus::Error if !is_settled.get() => ().into_any(),
            MessageStatus::Complete => match ended.get().0 {
                Some(StopReason::Stopped) => cut_short(id, "You stopped this answer.".to_owned(), Cut::ByChoice, shared),
                Some(StopReason::Length) => {
                    cut_short(id, "The answer reached the limit of its length.".to_owned(), Cut::ByChoice, shared)
                }
                Some(StopReason::ToolRounds) => {
                    cut_short(id, "The model used up its five rounds of tools.".to_owned(), Cut::ByChoice, shared)
                }
                Some(StopReason::End) | None => ().into_any(),
            },
            MessageStatus::Error => {
                let why = ended.get().1.unwrap_or_else(|| "The answer ended early.".to_owned());
                cut_short(id, why, Cut::ByFault, shared)
            }
        }}
    }
    .into_any()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    ByChoice,
    ByFault,
}

fn cut_short(id: MessageId, why: String, cut: Cut, shared: Shared) -> AnyView {
    view! {
        <div class="standing" class:is-problem=cut == Cut::ByFault>
            <p>{why}</p>
            <Button on_click=move |()| shared.exchange.go_on(id)>"Continue"</Button>
        </div>
    }
    .into_any()
}

/// What can be done with a message, and what is known of it. It comes near when the hand does.
fn foot(item: Item, shared: Shared, role: MessageRole) -> AnyView {
    let id = item.id;
    let exchange = shared.exchange;
    let created_at = item.message.with_untracked(|message| message.created_at);
    let copied = item.message.clone();
    let copy = move |()| {
        let text = copied.with_untracked(|message| message.content.clone());
        document::copy(text, move |worked| {
            exchange.toasts.say(if worked { "Copied" } else { "The browser did not allow copying" });
        });
    };
    let arrived = {
        let delivery = item.delivery.clone();
        Memo::new(move |_| delivery.with(|delivery| *delivery == Delivery::Arrived))
    };
    view! {
        {reactions(&item, shared)}
        <footer class="message-foot" hidden=move || !arrived.get()>
            {variants(&item, shared)}
            <IconButton icon=Icon::Copy label="Copy as Markdown" on_click=copy/>
            {match role {
                MessageRole::User => view! {
                    <IconButton icon=Icon::Pencil label="Edit and send again" on_click=move |()| shared.editing.set(Some(id))/>
                }.into_any(),
                MessageRole::Assistant => view! {
                    <IconButton icon=Icon::Refresh label="Answer again" on_click=move |()| {
                        exchange.regenerate(id, shared.model.get_untracked());
                        shared.scroll.to_end();
                    }/>
                }.into_any(),
            }}
            {picker(id, shared)}
            {given(&item)}
            <span class="message-facts">
                {tokens(&item)}
                <Moment at=Signal::stored(created_at)/>
            </span>
        </footer>
    }
    .into_any()
}

fn given(item: &Item) -> AnyView {
    let id = format!("given-{}", item.id);
    let message = item.message.clone();
    let given = Memo::new(move |_| message.with(|message| message.given.clone()));
    view! { {move || given.with(|given| given.as_ref().map(|given| meter::was_given(given, id.clone())))} }
        .into_any()
}

fn tokens(item: &Item) -> AnyView {
    let message = item.message.clone();
    let usage = Memo::new(move |_| message.with(|message| message.usage));
    view! {
        {move || usage.get().filter(|usage| usage.output_tokens > 0).map(|usage| view! {
            <span title=format!("{} tokens read, {} written", usage.input_tokens, usage.output_tokens)>
                {format!("{} tokens", usage.output_tokens)}
            </span>
        })}
    }
    .into_any()
}

/// Which of several answers, or of several wordings of a question, is shown.
fn variants(item: &Item, shared: Shared) -> AnyView {
    let message = item.message.clone();
    let id = item.id;
    let all = Memo::new(move |_| message.with(|message| message.variants.clone()));
    let go = move |step: isize| {
        let to = all.with_untracked(|all| {
            let at = all.iter().position(|other| *other == id)?;
            all.get(at.checked_add_signed(step)?).copied()
        });
        if let Some(to) = to {
            shared.exchange.show_variant(to);
        }
    };
    view! {
        {move || all.with(|all| {
            let at = all.iter().position(|other| *other == id)?;
            let count = all.len();
            (count > 1).then(|| view! {
                <span class="variants" role="group" aria-label="Variants">
                    <button type="button" class="icon-button" aria-label="The variant before" disabled=at == 0
                        on:click=move |_| go(-1)>{Icon::ArrowLeft.draw()}</button>
                    <span class="number">{format!("{}/{count}", at + 1)}</span>
                    <button type="button" class="icon-button" aria-label="The variant after" disabled=at + 1 == count
                        on:click=move |_| go(1)>{Icon::ArrowRight.draw()}</button>
                </span>
            }.into_any())
        })}
    }
    .into_any()
}

/// The signs given so far; one's own can be taken back.
fn reactions(item: &Item, shared: Shared) -> AnyView {
    let message = item.message.clone();
    let id = item.id;
    let me = shared.exchange.session.profile;
    let given = Memo::new(move |_| {
        let me = me.with(|profile| profile.id);
        message.with(|message| {
            let counted = REACTIONS.iter().map(|(emoji, name)| {
                let of = message.reactions.iter().filter(|reaction| reaction.emoji == *emoji);
                let mine = of.clone().any(|reaction| reaction.user_id == me);
                (*emoji, *name, of.count(), mine)
            });
            counted.filter(|(_, _, count, _)| *count > 0).collect::<Vec<_>>()
        })
    });
    view! {
        {move || (!given.with(Vec::is_empty)).then(|| view! {
            <div class="reactions">
                {given.get().into_iter().map(|(emoji, name, count, mine)| view! {
                    <button type="button" class="reaction" aria-pressed=mine.to_string() aria-label=format!("{name}: {count}")
                        on:click=move |_| shared.exchange.react(id, emoji)>
                        {emoji}{(count > 1).then(|| format!(" {count}"))}
                    </button>
                }).collect_view()}
            </div>
        })}
    }
    .into_any()
}

fn picker(id: MessageId, shared: Shared) -> AnyView {
    let menu = format!("react-{id}");
    let chosen = menu.clone();
    view! {
        <button type="button" class="icon-button" aria-label="React" title="React" popovertarget=menu.clone()
            on:click={ let menu = menu.clone(); move |event| crate::components::menu::place(&event, &menu) }>
            {Icon::Smile.draw()}
        </button>
        <div class="menu reaction-menu" id=menu popover="auto" role="group" aria-label="React">
            {REACTIONS.into_iter().map(|(emoji, name)| view! {
                <button type="button" class="reaction" aria-label=name title=name popovertarget=chosen.clone()
                    popovertargetaction="hide" on:click=move |_| shared.exchange.react(id, emoji)>
                    {emoji}
                </button>
            }).collect_view()}
        </div>
    }
    .into_any()
}
