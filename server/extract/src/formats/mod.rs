//! One file for each format; each turns bytes into a [`crate::Document`].

pub(crate) mod audio;
pub(crate) mod code;
pub(crate) mod delimited;
pub(crate) mod docx;
pub(crate) mod epub;
pub(crate) mod html;
pub(crate) mod image;
pub(crate) mod mail;
pub(crate) mod pdf;
pub(crate) mod plain;
pub(crate) mod pptx;
pub(crate) mod sheets;
pub(crate) mod video;
