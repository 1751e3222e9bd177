//! The folders, as deep as they go. Notes and folders are dropped on them; each folder has a menu.

use crate::components::icon::Icon;
use crate::components::menu::{Menu, MenuItem};
use crate::pages::notes::dialogs::Asking;
use crate::pages::notes::scope::Scope;
use crate::pages::notes::store::Notes;
use crate::pages::notes::transfer;
use leptos::prelude::*;
use shared::FolderId;
use shared::note::Folder;

/// Deeper ones are not indented further.
const DEEPEST: usize = 6;

/// A folder where it stands in the tree.
#[derive(Clone, PartialEq)]
pub struct Placed {
    pub folder: Folder,
    pub depth: usize,
    pub has_children: bool,
}

/// Folders in the order of the tree, by name; below folded ones nothing.
pub fn placed(folders: &[Folder], folded: &[FolderId]) -> Vec<Placed> {
    let mut found = Vec::with_capacity(folders.len());
    let is_root =
        |folder: &Folder| folder.parent_id.is_none_or(|id| folders.iter().all(|other| other.id != id));
    let roots: Vec<&Folder> = folders.iter().filter(|folder| is_root(folder)).collect();
    descend(folders, roots, folded, 0, &mut found);
    found
}

fn descend(
    all: &[Folder],
    mut level: Vec<&Folder>,
    folded: &[FolderId],
    depth: usize,
    into: &mut Vec<Placed>,
) {
    level.sort_by_key(|folder| folder.name.to_lowercase());
    for folder in level {
        // a server that names a circle must not hang the page
        if into.iter().any(|known| known.folder.id == folder.id) {
            continue;
        }
        let children: Vec<&Folder> = all.iter().filter(|other| other.parent_id == Some(folder.id)).collect();
        into.push(Placed { folder: folder.clone(), depth, has_children: !children.is_empty() });
        if !folded.contains(&folder.id) {
            descend(all, children, folded, depth + 1, into);
        }
    }
}

#[component]
pub fn Tree(store: Notes) -> impl IntoView {
    let folded = RwSignal::new(Vec::<FolderId>::new());
    let entries = move || store.folders.with(|folders| folded.with(|folded| placed(folders, folded)));
    let everything = move || store.scope.get() == Scope::All;
    view! {
        <ul class="notes-tree" aria-label="Folders">
            <li class="row folder" class:is-current=everything
                on:dragover=transfer::allow on:dragleave=transfer::left
                on:drop=move |event| transfer::drop_on(event, store, None)>
                <a class="row-link" href=Scope::All.address() aria-current=move || everything().then_some("true")
                    on:click=move |event| { event.prevent_default(); store.show(Scope::All); }>
                    <span class="folder-fold"></span>{Icon::Note.draw()}<span class="row-title">"All notes"</span>
                </a>
            </li>
            <For each=entries key=|one| (one.folder.id, one.folder.name.clone(), one.depth, one.has_children) let:one>
                {folder_view(store, folded, one)}
            </For>
        </ul>
    }
}

fn folder_view(store: Notes, folded: RwSignal<Vec<FolderId>>, placed: Placed) -> AnyView {
    let Placed { folder, depth, has_children } = placed;
    let id = folder.id;
    let is_folded = Memo::new(move |_| folded.with(|folded| folded.contains(&id)));
    let current = Memo::new(move |_| store.scope.get() == Scope::Folder(id));
    let fold = move || {
        folded.update(|folded| match folded.contains(&id) {
            true => folded.retain(|other| *other != id),
            false => folded.push(id),
        });
    };
    let icon = if folder.own { Icon::Folder } else { Icon::People };
    let name = folder.name.clone();
    view! {
        <li class=format!("row folder is-depth-{}", depth.min(DEEPEST)) class:is-current=current
            on:dragover=transfer::allow on:dragleave=transfer::left
            on:drop=move |event| transfer::drop_on(event, store, Some(id))>
            {match has_children {
                true => view! {
                    <button type="button" class="folder-fold" aria-expanded=move || (!is_folded.get()).to_string()
                        aria-label=format!("Fold or open {name}") on:click=move |_| fold()>{Icon::Chevron.draw()}</button>
                }.into_any(),
                false => view! { <span class="folder-fold"></span> }.into_any(),
            }}
            <a class="row-link" href=Scope::Folder(id).address() aria-current=move || current.get().then_some("true")
                on:click=move |event| { event.prevent_default(); store.show(Scope::Folder(id)); }
                on:dragstart=move |event| transfer::drag_folder(&event, id)>
                {icon.draw()}<span class="row-title">{folder.name.clone()}</span>
            </a>
            {folder.own.then(|| folder_menu(store, folder.clone()))}
        </li>
    }
    .into_any()
}

fn folder_menu(store: Notes, folder: Folder) -> AnyView {
    let id = folder.id;
    let (renamed, moved, shared, deleted) = (folder.clone(), folder.clone(), folder.clone(), folder.clone());
    let ask = move |asking: Asking| store.asking.set(asking);
    view! {
        <Menu id=format!("folder-{id}") label=format!("More about the folder {}", folder.name)>
            <MenuItem icon=Icon::Plus on_choose=move |()| { store.show(Scope::Folder(id)); store.create(); }>"New note here"</MenuItem>
            <MenuItem icon=Icon::Folder on_choose=move |()| ask(Asking::NewFolder(Some(id)))>"New folder here…"</MenuItem>
            <MenuItem icon=Icon::Pencil on_choose=move |()| ask(Asking::RenameFolder(renamed.clone()))>"Rename…"</MenuItem>
            <MenuItem icon=Icon::Move on_choose=move |()| ask(Asking::MoveFolder(moved.clone()))>"Move…"</MenuItem>
            <MenuItem icon=Icon::Share on_choose=move |()| ask(Asking::ShareFolder(shared.clone()))>"Share…"</MenuItem>
            <MenuItem icon=Icon::Bin on_choose=move |()| ask(Asking::DeleteFolder(deleted.clone()))>"Delete…"</MenuItem>
        </Menu>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, parent_id: Option<FolderId>) -> Folder {
        Folder { id: FolderId::new(), parent_id, name: name.to_owned(), own: true }
    }

    #[test]
    fn folders_stand_under_their_parents_and_a_shared_one_at_the_top() {
        let top = folder("b", None);
        let inner = folder("x", Some(top.id));
        let shared = folder("a", Some(FolderId::new()));
        let folders = [inner.clone(), top.clone(), shared];
        let names = |folded: &[FolderId]| {
            let one = |placed: Placed| (placed.folder.name, placed.depth);
            placed(&folders, folded).into_iter().map(one).collect::<Vec<_>>()
        };
        let all = [("a", 0), ("b", 0), ("x", 1)].map(|(name, depth)| (name.to_owned(), depth));
        assert_eq!(names(&[]), all);
        assert_eq!(names(&[top.id]), all[..2]);
    }

    #[test]
    fn a_circle_of_folders_ends() {
        let mut one = folder("one", None);
        let two = folder("two", Some(one.id));
        one.parent_id = Some(two.id);
        assert!(placed(&[one, two], &[]).len() <= 2);
    }
}
