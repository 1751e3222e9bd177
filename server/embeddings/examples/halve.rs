//! Makes the weights of the bundle: `halve <folder> <folder>` writes those of the first in half precision into the
//! second, with the tokenizer and the licence beside them.

use embeddings::to_half;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut folders = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(from), Some(to)) = (folders.next(), folders.next()) else {
        return Err("name two folders: where the weights are, and where the smaller ones go".into());
    };
    fs::create_dir_all(&to)?;
    to_half(&from.join("model.safetensors"), &to.join("model.safetensors"))?;
    for name in ["tokenizer.json", "README.md"] {
        fs::copy(from.join(name), to.join(name))?;
    }
    Ok(())
}
