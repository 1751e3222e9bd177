//! A file's name in a list: where there is no room for all of it, the middle goes and the ending stays.

use leptos::prelude::*;

/// Names of at most so many characters stand as they are: there is room for them nearly everywhere.
const SHORT: usize = 24;
/// Characters before the ending that stay with it.
const BEFORE: usize = 4;
/// A longer ending is a part of the name.
const LONGEST_ENDING: usize = 8;

/// The part that gives way, and the part that stays.
fn split(name: &str) -> Option<(&str, &str)> {
    let count = name.chars().count();
    if count <= SHORT {
        return None;
    }
    let ending = name.rsplit_once('.').map_or(0, |(_, ending)| ending.chars().count() + 1);
    let ending = if ending > LONGEST_ENDING { 0 } else { ending };
    let (at, _) = name.char_indices().nth(count - ending - BEFORE)?;
    Some(name.split_at(at))
}

pub fn name_view(name: &str) -> AnyView {
    match split(name) {
        None => view! { <span class="row-title">{name.to_owned()}</span> }.into_any(),
        // said once, and whole
        Some((front, end)) => view! {
            <span class="row-title split-name" title=name.to_owned()>
                <span class="visually-hidden">{name.to_owned()}</span>
                <span class="split-front" aria-hidden="true">{front.to_owned()}</span>
                <span class="split-end" aria-hidden="true">{end.to_owned()}</span>
            </span>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_stays_with_what_stands_before_it() {
        assert_eq!(split("Lease.md"), None);
        assert_eq!(split("a-long-name-of-a-report-2024.pdf"), Some(("a-long-name-of-a-report-", "2024.pdf")));
        assert_eq!(
            split("a name of many words. and no ending"),
            Some(("a name of many words. and no en", "ding"))
        );
        let wide = "ä".repeat(30) + ".txt";
        assert_eq!(split(&wide).unwrap().1, "ääää.txt");
    }
}
