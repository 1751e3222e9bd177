//! The browser's one WebSocket: keeps it open, says how it stands, hands frames to who listens.
//! It fetches nothing; on `resync` the listeners do.

use leptos::prelude::*;
use shared::socket::ServerBody;

/// How the line to the server stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Connection {
    /// Before the first answer.
    Starting,
    Online,
    /// Online, but these parts of the server do not work right now.
    Degraded(Vec<String>),
    Offline,
}

/// The socket. Given as context.
#[derive(Clone, Copy)]
pub struct Socket {
    pub connection: RwSignal<Connection>,
    /// Whether the server is of another build than the page.
    pub outdated: RwSignal<bool>,
}

pub fn use_socket() -> Socket {
    expect_context::<Socket>()
}

impl Socket {
    /// Opens the socket after hydration. `build` is the page's.
    pub fn provide(build: String) -> Self {
        let socket = Self { connection: RwSignal::new(Connection::Starting), outdated: RwSignal::new(false) };
        provide_context(socket);
        #[cfg(feature = "hydrate")]
        browser::open(socket, build);
        #[cfg(not(feature = "hydrate"))]
        drop(build);
        socket
    }
}

/// Calls `listener` with every frame until the component that asked is gone.
pub fn on_frame(listener: impl Fn(&ServerBody) + 'static) {
    #[cfg(feature = "hydrate")]
    browser::listen(listener);
    #[cfg(not(feature = "hydrate"))]
    drop(listener);
}

/// Sends a binary frame; false when there is no line to send it on.
#[cfg(feature = "hydrate")]
pub use browser::{on_binary, send_binary};

#[cfg(feature = "hydrate")]
mod browser {
    use super::{Connection, Socket};
    use crate::client::document::note;
    use leptos::prelude::*;
    use shared::socket::{Channel, ClientFrame, ServerBody};
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;
    use std::time::Duration;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::closure::Closure;

    type Listener = Rc<dyn Fn(&ServerBody)>;
    type BinaryListener = Rc<dyn Fn(&js_sys::Uint8Array)>;

    thread_local! {
        static LISTENERS: RefCell<Vec<(u64, Listener)>> = const { RefCell::new(Vec::new()) };
        static BINARY_LISTENERS: RefCell<Vec<(u64, BinaryListener)>> = const { RefCell::new(Vec::new()) };
        static OPEN: RefCell<Option<web_sys::WebSocket>> = const { RefCell::new(None) };
        static NEXT_LISTENER: Cell<u64> = const { Cell::new(0) };
    }

    const SHORTEST_WAIT: Duration = Duration::from_millis(500);
    const LONGEST_WAIT_MS: f64 = 20_000.0;
    /// How often the line is looked at. One that was quiet for so long is asked whether it still is one;
    /// with the time an answer may take, a loss that nobody announces is noticed within 15 seconds.
    const LOOK_EVERY: Duration = Duration::from_secs(3);
    /// A line that does not answer within this is lost; a browser itself would wait for minutes.
    const ANSWER_WITHIN_MS: f64 = 5_500.0;
    const CONNECT_WITHIN_MS: f64 = 15_000.0;
    /// The code with which the server closes the line of a session that ended.
    const SESSION_ENDED: u16 = 4401;

    pub fn listen(listener: impl Fn(&ServerBody) + 'static) {
        let number = NEXT_LISTENER.with(|next| next.replace(next.get() + 1));
        LISTENERS.with(|all| all.borrow_mut().push((number, Rc::new(listener))));
        on_cleanup(move || LISTENERS.with(|all| all.borrow_mut().retain(|(other, _)| *other != number)));
    }

    /// Calls `listener` with every binary frame, until the function it gives is called.
    pub fn on_binary(listener: impl Fn(&js_sys::Uint8Array) + 'static) -> impl FnOnce() {
        let number = NEXT_LISTENER.with(|next| next.replace(next.get() + 1));
        BINARY_LISTENERS.with(|all| all.borrow_mut().push((number, Rc::new(listener))));
        move || BINARY_LISTENERS.with(|all| all.borrow_mut().retain(|(other, _)| *other != number))
    }

    pub fn send_binary(frame: &js_sys::Uint8Array) -> bool {
        OPEN.with(|open| {
            open.borrow().as_ref().is_some_and(|ws| {
                ws.ready_state() == web_sys::WebSocket::OPEN && ws.send_with_js_u8_array(frame).is_ok()
            })
        })
    }

    fn receive_binary(buffer: &js_sys::ArrayBuffer) {
        let frame = js_sys::Uint8Array::new(buffer);
        let listeners: Vec<BinaryListener> =
            BINARY_LISTENERS.with(|all| all.borrow().iter().map(|(_, listener)| listener.clone()).collect());
        for listener in listeners {
            listener(&frame);
        }
    }

    /// Builds named so are a developer's, whose page follows the sources by itself.
    const DEVELOPMENT: &str = "dev";

    /// Whether a field on the page holds words that are not the server's yet.
    fn anything_typed() -> bool {
        let Ok(fields) = document().query_selector_all("textarea, input[type=text], input:not([type])")
        else {
            return false;
        };
        (0..fields.length()).filter_map(|at| fields.item(at)).any(|field| {
            let area =
                field.dyn_ref::<web_sys::HtmlTextAreaElement>().is_some_and(|area| !area.value().is_empty());
            let input = field.dyn_ref::<web_sys::HtmlInputElement>();
            area || input.is_some_and(|input| input.value() != input.default_value())
        })
    }

    /// What a connection needs to begin again.
    struct Line {
        socket: Socket,
        build: String,
        failures: Cell<u32>,
        /// With what is to be done when it closes.
        current: RefCell<Option<(web_sys::WebSocket, js_sys::Function)>>,
        heard_ms: Cell<f64>,
        /// By when something must be heard: after a ping, after the wish to connect.
        due_ms: Cell<Option<f64>>,
        was_open: Cell<bool>,
    }

    impl Line {
        fn heard(&self) {
            self.heard_ms.set(js_sys::Date::now());
            self.due_ms.set(None);
            self.failures.set(0);
        }
    }

    pub fn open(socket: Socket, build: String) {
        Effect::new(move |_| {
            let line = Rc::new(Line {
                socket,
                build: build.clone(),
                failures: Cell::new(0),
                current: RefCell::new(None),
                heard_ms: Cell::new(0.0),
                due_ms: Cell::new(None),
                was_open: Cell::new(false),
            });
            connect(&line);
            watch(line);
        });
    }

    /// Looks after the line, at once when the browser says that the network came or went. It is not
    /// believed without asking: this machine's own server is there without any network.
    fn watch(line: Rc<Line>) {
        let looked_at = line.clone();
        if let Err(cause) = set_interval_with_handle(move || look(&looked_at), LOOK_EVERY) {
            leptos::logging::warn!("the line is not looked at: {cause:?}");
        }
        let left = line.clone();
        window_event_listener_untyped("offline", move |_| ask(&left));
        window_event_listener_untyped("online", move |_| {
            if line.current.borrow().is_none() {
                line.failures.set(0);
                connect(&line);
            } else {
                ask(&line);
            }
        });
    }

    fn look(line: &Rc<Line>) {
        let now = js_sys::Date::now();
        match line.due_ms.get() {
            Some(due) if now >= due => give_up(line),
            None if now - line.heard_ms.get() >= LOOK_EVERY.as_millis() as f64 => ask(line),
            Some(_) | None => {}
        }
    }

    fn ask(line: &Rc<Line>) {
        let open = line.current.borrow().as_ref().map(|(ws, _)| ws.clone());
        let open = open.filter(|ws| ws.ready_state() == web_sys::WebSocket::OPEN);
        if let (Some(ws), None) = (open, line.due_ms.get()) {
            tell(&ws, &ClientFrame::Ping { channel: Channel::System });
            line.due_ms.set(Some(js_sys::Date::now() + ANSWER_WITHIN_MS));
        }
    }

    /// Does not wait for the browser to find out that nobody is at the other end.
    fn give_up(line: &Rc<Line>) {
        let lost = line.current.borrow_mut().take();
        if let Some((ws, closed)) = lost {
            ws.set_onclose(None);
            note(ws.close());
            note(closed.call0(&wasm_bindgen::JsValue::UNDEFINED));
        }
    }

    fn connect(line: &Rc<Line>) {
        let location = window().location();
        let scheme = if location.protocol().as_deref() == Ok("https:") { "wss" } else { "ws" };
        let address = format!("{scheme}://{}/api/v1/ws", location.host().unwrap_or_default());
        match web_sys::WebSocket::new(&address) {
            Ok(ws) => attach(line, ws),
            Err(cause) => {
                leptos::logging::warn!("no socket: {cause:?}");
                retry(line);
            }
        }
    }

    fn attach(line: &Rc<Line>, ws: web_sys::WebSocket) {
        ws.set_binary_type(web_sys::BinaryType::Arraybuffer);
        let opened = {
            let (line, ws) = (line.clone(), ws.clone());
            Closure::<dyn FnMut()>::new(move || {
                for channel in
                    [Channel::System, Channel::Chat, Channel::Notes, Channel::Files, Channel::Pages]
                {
                    tell(&ws, &ClientFrame::Subscribe { channel });
                }
                OPEN.set(Some(ws.clone()));
                line.heard();
                line.socket.connection.set(Connection::Online);
                // what happened while the line was down was not heard
                if line.was_open.replace(true) {
                    hand_out(&ServerBody::Resync);
                }
            })
        };
        ws.set_onopen(Some(opened.as_ref().unchecked_ref()));
        let heard = {
            let line = line.clone();
            Closure::<dyn FnMut(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
                line.heard();
                let data = event.data();
                if let Some(text) = data.as_string() {
                    receive(&line, &text);
                } else if let Some(buffer) = data.dyn_ref::<js_sys::ArrayBuffer>() {
                    receive_binary(buffer);
                }
            })
        };
        ws.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        let closed: js_sys::Function = {
            let (line, ws) = (line.clone(), ws.clone());
            let closed = move |event: wasm_bindgen::JsValue| {
                ws.set_onopen(None);
                ws.set_onmessage(None);
                drop((opened, heard));
                OPEN.take();
                *line.current.borrow_mut() = None;
                line.due_ms.set(None);
                line.socket.connection.set(Connection::Offline);
                let code = event.dyn_ref::<web_sys::CloseEvent>().map(web_sys::CloseEvent::code);
                if code == Some(SESSION_ENDED) {
                    // whoever signs out here is on the way already
                    return set_timeout(crate::client::session::ended, SHORTEST_WAIT);
                }
                retry(&line);
            };
            Closure::once_into_js(closed).unchecked_into()
        };
        ws.set_onclose(Some(&closed));
        line.due_ms.set(Some(js_sys::Date::now() + CONNECT_WITHIN_MS));
        *line.current.borrow_mut() = Some((ws, closed));
    }

    fn receive(line: &Rc<Line>, text: &str) {
        let body: ServerBody = match crate::client::json::tagged(text, Some("payload")) {
            Ok(body) => body,
            Err(cause) => return leptos::logging::warn!("a frame was not understood: {cause}"),
        };
        match &body {
            ServerBody::Hello { build } if *build != line.build => {
                line.socket.outdated.set(true);
                if line.build.starts_with(DEVELOPMENT) && !anything_typed() {
                    note(window().location().reload());
                }
            }
            ServerBody::Degraded { parts } if parts.is_empty() => {
                line.socket.connection.set(Connection::Online)
            }
            ServerBody::Degraded { parts } => line.socket.connection.set(Connection::Degraded(parts.clone())),
            ServerBody::Refused { error } => leptos::logging::warn!("the server refused a frame: {error}"),
            _ => {}
        }
        hand_out(&body);
    }

    fn hand_out(body: &ServerBody) {
        let listeners: Vec<Listener> =
            LISTENERS.with(|all| all.borrow().iter().map(|(_, listener)| listener.clone()).collect());
        for listener in listeners {
            listener(body);
        }
    }

    fn tell(ws: &web_sys::WebSocket, frame: &ClientFrame) {
        match serde_json::to_string(frame) {
            Ok(text) => note(ws.send_with_str(&text)),
            Err(cause) => leptos::logging::warn!("a frame could not be written: {cause}"),
        }
    }

    /// Waits twice as long after each failure, a little more or less so that not all come at once.
    fn retry(line: &Rc<Line>) {
        let failures = line.failures.get().min(8);
        line.failures.set(failures + 1);
        let wait = (SHORTEST_WAIT.as_millis() as f64 * f64::from(1u32 << failures)).min(LONGEST_WAIT_MS);
        let wait = wait * (0.75 + js_sys::Math::random() / 2.0);
        let line = line.clone();
        set_timeout(
            move || {
                if line.current.borrow().is_none() {
                    connect(&line);
                }
            },
            Duration::from_millis(wait as u64),
        );
    }
}
