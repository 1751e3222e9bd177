//! The design system: what every page is made of.

pub mod attempt;
pub mod avatar;
pub mod button;
pub mod dialog;
pub mod field;
pub mod icon;
pub mod list_filter;
pub mod list_title;
pub mod long_list;
pub mod menu;
pub mod moment;
pub mod palette;
pub mod resizer;
pub mod states;
pub mod toast;
