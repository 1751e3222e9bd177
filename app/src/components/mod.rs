//! The design system: what every page is made of.

pub mod button;
pub mod icon;
pub mod states;
pub mod toast;
