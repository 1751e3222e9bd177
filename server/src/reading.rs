//! The models that the options name to read pictures and recordings.

use crate::options::{Reading, or_file};
use anyhow::{Context, Result, bail};
use domain::{ReadingModels, SpeechModel};
use url::Url;

pub fn models(options: &Reading) -> Result<ReadingModels> {
    let pictures = or_file("SIDEBAR_VISION_MODEL", options.vision_model.clone())?;
    let Some(url) = or_file("SIDEBAR_TRANSCRIPTION", options.transcription.clone())? else {
        return Ok(ReadingModels { pictures, speech: None });
    };
    let address = Url::parse(&url).context("SIDEBAR_TRANSCRIPTION is the address of a server, up to /v1")?;
    if !matches!(address.scheme(), "http" | "https") {
        bail!("SIDEBAR_TRANSCRIPTION begins with http:// or https://");
    }
    let key = or_file("SIDEBAR_TRANSCRIPTION_KEY", options.transcription_key.clone())?;
    let speech = SpeechModel {
        url,
        key: key.map(Into::into),
        model: options.transcription_model.clone(),
        largest: u64::from(options.transcription_largest_mb) << 20,
    };
    Ok(ReadingModels { pictures, speech: Some(speech) })
}
