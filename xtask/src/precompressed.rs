//! The `.br` and `.gz` beside each asset, so that the server never compresses the same bytes
//! twice. What cannot get smaller is left alone.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Compressed already.
const DENSE: [&str; 4] = ["woff2", "png", "jpg", "webp"];
/// Below this a smaller file saves no packet.
const WORTH_BYTES: usize = 1024;
const BROTLI_QUALITY: i32 = 11;
const BROTLI_WINDOW: i32 = 22;

/// Writes them for every file in `assets`. `last` is the assets folder of the build before: the
/// names carry hashes, so that the same name is the same content, compressed already.
pub(crate) fn write_beside(assets: &Path, last: &Path) -> Result<()> {
    for entry in fs::read_dir(assets)? {
        let path = entry?.path();
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned());
        let (Some(extension), Some(name)) = (extension, path.file_name()) else {
            continue;
        };
        let bytes = fs::read(&path)?;
        if DENSE.contains(&extension.as_str()) || bytes.len() < WORTH_BYTES {
            continue;
        }
        for (kind, compress) in [("br", brotli as fn(&[u8]) -> Result<Vec<u8>>), ("gz", gzip)] {
            let mut compressed_name = name.to_owned();
            compressed_name.push(format!(".{kind}"));
            let known = last.join(&compressed_name);
            let target = assets.join(&compressed_name);
            if known.is_file() {
                fs::copy(&known, &target)?;
                continue;
            }
            let compressed =
                compress(&bytes).with_context(|| format!("could not compress {}", path.display()))?;
            fs::write(&target, compressed)?;
        }
    }
    Ok(())
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn both_forms_give_the_bytes_back_and_are_smaller() {
        let bytes = "the same words again and again ".repeat(500).into_bytes();
        let mut back = Vec::new();
        let packed = brotli(&bytes).unwrap();
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut back).unwrap();
        assert!(back == bytes && packed.len() < 200);

        let packed = gzip(&bytes).unwrap();
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut back).unwrap();
        assert!(back == bytes && packed.len() < 400);
    }
}
