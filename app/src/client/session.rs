//! Who is signed in, as the page knows it. The session itself is in a cookie that scripts cannot read.

use leptos::prelude::*;
use shared::account::{Me, Profile, Role};

/// The person signed in; changes when they change their profile. Given as context.
#[derive(Clone, Copy)]
pub struct Session {
    pub profile: RwSignal<Profile>,
    /// To be sent as `X-CSRF-Token` with every change, and in forms.
    pub csrf_token: StoredValue<Option<String>>,
}

impl Session {
    /// Takes the person from the page and gives them to everything below.
    pub fn provide(me: Me) -> Self {
        #[cfg(feature = "hydrate")]
        {
            CSRF_TOKEN.with(|token| *token.borrow_mut() = me.csrf_token.clone());
            ACCOUNT.with(|account| *account.borrow_mut() = Some(me.profile.id.to_string()));
        }
        let session =
            Self { profile: RwSignal::new(me.profile), csrf_token: StoredValue::new(me.csrf_token) };
        provide_context(session);
        session
    }

    /// Whether nobody is signed in: somebody came by a link to one note.
    pub fn is_visit(self) -> bool {
        self.profile.with_untracked(|profile| profile.id.0.is_nil())
    }

    /// As the page began: a change of role shows when it is loaded again.
    pub fn is_admin(self) -> bool {
        self.profile.with_untracked(|profile| profile.role == Role::Admin)
    }
}

/// The session of the page. Only within the workspace, where it always is.
pub fn use_session() -> Session {
    expect_context::<Session>()
}

#[cfg(feature = "hydrate")]
thread_local! {
    static CSRF_TOKEN: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
    static ACCOUNT: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// Whose page this is.
#[cfg(feature = "hydrate")]
pub fn account() -> Option<String> {
    ACCOUNT.with(|account| account.borrow().clone())
}

/// To be sent as `X-CSRF-Token` with every change.
#[cfg(feature = "hydrate")]
pub fn csrf_token() -> Option<String> {
    CSRF_TOKEN.with(|token| token.borrow().clone())
}

/// The server no longer knows this session: to the sign-in page, and back here after it.
#[cfg(feature = "hydrate")]
pub fn ended() {
    let location = window().location();
    let here =
        format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
    if let Err(cause) = location.assign(&format!("/sign-in?next={}", super::api::encode(&here))) {
        leptos::logging::warn!("could not leave the page: {cause:?}");
    }
}
