//! Takes out of a WebAssembly module what runs only to say why it breaks off, and what is never run.
//!
//! A panic in the browser ends in a trap either way, whose stack is reported. The standard library comes
//! compiled, so that neither it nor the compiler can be told to leave the words out; here the functions
//! that never return become the trap itself, and `wasm-opt` then drops what only led up to them.

use walrus::{FunctionId, FunctionKind, Module};

/// Functions that never return, by their whole names.
const ENDS: [&str; 12] = [
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::raw_vec::handle_error",
    "core::cell::lazy::panic_poisoned",
    "core::cell::panic_already_borrowed",
    "core::cell::panic_already_mutably_borrowed",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::result::unwrap_failed",
    "core::slice::index::slice_index_fail",
    "core::str::slice_error_fail",
    "std::thread::local::panic_access_error",
];

/// The second of Leptos' two ways to take a page over, for routes that are loaded by themselves: every
/// erased view names it, so that the compiler must keep it. We take over in one go.
const NEVER_RUN: [&str; 3] = ["", "::{{closure}}", "::{{closure}}::{{closure}}"];

pub(crate) fn prune(module: &mut Module) {
    let is_needless = |id: &FunctionId| {
        let name = module.funcs.get(*id).name.as_deref().map(plain);
        name.is_some_and(|name| is_end(&name) || is_never_run(&name))
    };
    let needless: Vec<FunctionId> = module.funcs.iter_local().map(|(id, _)| id).filter(is_needless).collect();
    for id in needless {
        if let FunctionKind::Local(function) = &mut module.funcs.get_mut(id).kind {
            let mut body = function.builder_mut().func_body();
            body.instrs_mut().clear();
            body.unreachable();
        }
    }
    walrus::passes::gc::run(module);
}

fn is_end(name: &str) -> bool {
    name.starts_with("core::panicking::") || name.ends_with("::assert_failed") || ENDS.contains(&name)
}

fn is_never_run(name: &str) -> bool {
    let tail = name.rsplit_once("::hydrate_async").map(|(_, tail)| tail);
    tail.is_some_and(|tail| NEVER_RUN.contains(&tail))
}

/// The name without what tells versions of a crate or of a function apart: `core[1a2b…]`, `::h3c4d…`.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        plain.push_str(before);
        match after.split_once(']') {
            Some((hash, after)) if hash.len() > 12 && is_hex(hash) => rest = after,
            _ => {
                plain.push('[');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    if let Some((before, hash)) = plain.rsplit_once("::h")
        && hash.len() == 16
        && is_hex(hash)
    {
        plain.truncate(before.len());
    }
    plain
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_returns_is_known_by_its_name_and_what_only_sounds_alike_stays() {
        for name in [
            "core[c5930c85a12de822]::panicking::panic_fmt",
            "core::panicking::assert_failed::h0011223344556677",
            "<alloc[3ca501edff3f0c7c]::vec::Vec<_, _>>::remove::assert_failed",
            "core::option::unwrap_failed::h0011223344556677",
        ] {
            assert!(is_end(&plain(name)), "{name}");
        }
        for name in [
            "std[a543996e6e7dbf1e]::panicking::panic_count::is_zero_slow_path",
            "core::option::Option<T>::unwrap_or_default::h0011223344556677",
            "app::pages::chat::exchange::Exchange::failed::h0011223344556677",
            "<[T; 3] as core::fmt::Debug>::fmt",
        ] {
            assert!(!is_end(&plain(name)), "{name}");
        }
    }

    #[test]
    fn only_the_second_way_to_take_over_is_never_run() {
        let view = "<T as tachys::view::any_view::IntoAny>::into_any";
        assert!(is_never_run(&plain(&format!("{view}::hydrate_async::{{{{closure}}}}::h0011223344556677"))));
        assert!(!is_never_run(&plain(&format!("{view}::hydrate_from_server::h0011223344556677"))));
        let dropped = "core::ptr::drop_in_place<tachys::view::any_view::hydrate_async::{{closure}}>";
        assert!(!is_never_run(dropped));
    }
}
