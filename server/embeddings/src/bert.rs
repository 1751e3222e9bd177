//! The forward pass of a BERT encoder, as far as sentence embeddings need it. It runs on the thread
//! that calls it and knows no tokenizer.
//!
//! The sequences of a batch lie one after another, without padding: the matrix products go over all
//! their tokens at once, attention over each sequence by itself. So nothing can leak from one
//! sequence or from padding into another, and no time is spent on padding.

use candle_core::safetensors::BufferedSafetensors;
use candle_core::{CpuStorage, DType, Device, InplaceOp1, InplaceOp2, Layout, Result, Tensor, bail};
use pulp::Arch;

use crate::kernels::{self, Norm};

/// The shape of all-MiniLM-L6-v2; the file's tensors are checked against it.
pub(crate) const WIDTH: usize = 384;
const HEADS: usize = 12;
const LAYERS: usize = 6;
const INNER: usize = 4 * WIDTH;

pub(crate) struct Bert {
    arch: Arch,
    words: Vec<f32>,
    /// Where a token stands, with the (constant) type of its sentence added.
    positions: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Layer {
    /// Queries, keys and values in one product; queries come out scaled.
    attention: Linear,
    attention_out: Linear,
    attention_norm: Norm,
    up: Linear,
    down: Linear,
    norm: Norm,
}

struct Linear {
    /// One row for each number that comes in.
    weight: Tensor,
    bias: Vec<f32>,
}

impl Bert {
    pub(crate) fn read(file: Vec<u8>) -> Result<Self> {
        let file = Source(BufferedSafetensors::new(file)?);
        let words = file.vector("embeddings.word_embeddings.weight")?;
        if words.is_empty() || !words.len().is_multiple_of(WIDTH) {
            bail!("the table of words is not {WIDTH} wide");
        }
        let mut positions = file.vector("embeddings.position_embeddings.weight")?;
        let types = file.vector("embeddings.token_type_embeddings.weight")?;
        kernels::add_bias(Arch::new(), &mut positions, &types[..WIDTH.min(types.len())]);
        Ok(Self {
            arch: Arch::new(),
            words,
            positions,
            norm: file.norm("embeddings.LayerNorm")?,
            layers: (0..LAYERS).map(|layer| file.layer(layer)).collect::<Result<_>>()?,
        })
    }

    /// One vector of length 1 for each sequence of token ids, none of which may be empty.
    pub(crate) fn embed(&self, sequences: &[Vec<u32>]) -> Result<Vec<Vec<f32>>> {
        let mut states = self.look_up(sequences)?;
        let lengths: Vec<usize> = sequences.iter().map(Vec::len).collect();
        for layer in &self.layers {
            states = layer.forward(self.arch, states, &lengths)?;
        }
        let states = states.flatten_all()?.to_vec1::<f32>()?;
        let mut rest = states.as_slice();
        Ok(lengths
            .iter()
            .map(|length| {
                let (sequence, after) = rest.split_at(length * WIDTH);
                rest = after;
                kernels::mean_direction(sequence, WIDTH)
            })
            .collect())
    }

    fn look_up(&self, sequences: &[Vec<u32>]) -> Result<Tensor> {
        let tokens: usize = sequences.iter().map(Vec::len).sum();
        let mut states = Vec::with_capacity(tokens * WIDTH);
        for sequence in sequences {
            for (token, position) in sequence.iter().zip(self.positions.chunks_exact(WIDTH)) {
                let start = *token as usize * WIDTH;
                let Some(word) = self.words.get(start..start + WIDTH) else {
                    bail!("the tokenizer knows more words than the weights");
                };
                states.extend(word.iter().zip(position).map(|(word, position)| word + position));
            }
        }
        kernels::normalise_rows(self.arch, &mut states, &self.norm);
        Tensor::from_vec(states, (tokens, WIDTH), &Device::Cpu)
    }
}

impl Layer {
    fn forward(&self, arch: Arch, states: Tensor, lengths: &[usize]) -> Result<Tensor> {
        let attended = self.attend(arch, &states, lengths)?;
        let states = self.attention_out.close(arch, &attended, &states, &self.attention_norm)?;
        let inner = states.matmul(&self.up.weight)?;
        inner.inplace_op1(&Gelu { arch, bias: &self.up.bias })?;
        self.down.close(arch, &inner, &states, &self.norm)
    }

    fn attend(&self, arch: Arch, states: &Tensor, lengths: &[usize]) -> Result<Tensor> {
        let tokens = states.dim(0)?;
        let all = states.matmul(&self.attention.weight)?;
        all.inplace_op1(&Bias { arch, bias: &self.attention.bias })?;
        let all = all.reshape((tokens, 3 * HEADS, WIDTH / HEADS))?;
        let mut start = 0;
        let mut sequences = Vec::with_capacity(lengths.len());
        for length in lengths {
            let sequence = all.narrow(0, start, *length)?;
            start += length;
            let part = |of: usize| sequence.narrow(1, of * HEADS, HEADS)?.transpose(0, 1);
            let weights = part(0)?.matmul(&part(1)?.t()?)?;
            weights.inplace_op1(&Softmax { arch })?;
            let attended = weights.matmul(&part(2)?)?;
            sequences.push(attended.transpose(0, 1)?.reshape((*length, WIDTH))?);
        }
        Tensor::cat(&sequences, 0)
    }
}

impl Linear {
    fn close(&self, arch: Arch, states: &Tensor, residual: &Tensor, norm: &Norm) -> Result<Tensor> {
        let out = states.matmul(&self.weight)?;
        out.inplace_op2(residual, &Close { arch, bias: &self.bias, norm })?;
        Ok(out)
    }
}

struct Bias<'a> {
    arch: Arch,
    bias: &'a [f32],
}

struct Gelu<'a> {
    arch: Arch,
    bias: &'a [f32],
}

struct Softmax {
    arch: Arch,
}

struct Close<'a> {
    arch: Arch,
    bias: &'a [f32],
    norm: &'a Norm,
}

impl InplaceOp1 for Bias<'_> {
    fn name(&self) -> &'static str {
        "bias"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        kernels::add_bias(self.arch, numbers_mut(storage, layout)?, self.bias);
        Ok(())
    }
}

impl InplaceOp1 for Gelu<'_> {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        kernels::add_bias_and_gelu(self.arch, numbers_mut(storage, layout)?, self.bias);
        Ok(())
    }
}

impl InplaceOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let width = layout.dims().last().copied().unwrap_or(1);
        kernels::softmax(self.arch, numbers_mut(storage, layout)?, width);
        Ok(())
    }
}

impl InplaceOp2 for Close<'_> {
    fn name(&self) -> &'static str {
        "close"
    }

    fn cpu_fwd(
        &self,
        storage: &mut CpuStorage,
        layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<()> {
        let Some((start, end)) = residual_layout.contiguous_offsets() else {
            bail!("the residual is not in one piece");
        };
        let residual = &residual.as_slice::<f32>()?[start..end];
        kernels::close(self.arch, numbers_mut(storage, layout)?, self.bias, residual, self.norm);
        Ok(())
    }
}

fn numbers_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(numbers), Some((start, end))) => Ok(&mut numbers[start..end]),
        _ => bail!("the tensor is not single precision in one piece"),
    }
}

/// The file, read tensor by tensor into single precision, whatever it is stored in.
struct Source(BufferedSafetensors);

impl Source {
    fn tensor(&self, name: &str) -> Result<Tensor> {
        self.0.load(name, &Device::Cpu)?.to_dtype(DType::F32)
    }

    fn vector(&self, name: &str) -> Result<Vec<f32>> {
        self.tensor(name)?.flatten_all()?.to_vec1()
    }

    /// Stored with a row for each number that goes out; turned once, here.
    fn linear(&self, name: &str, from: usize, to: usize) -> Result<Linear> {
        let weight = self.tensor(&format!("{name}.weight"))?;
        let bias = self.vector(&format!("{name}.bias"))?;
        if weight.dims() != [to, from] || bias.len() != to {
            bail!("{name} is of another shape than all-MiniLM-L6-v2's");
        }
        Ok(Linear { weight: weight.t()?.contiguous()?, bias })
    }

    fn norm(&self, name: &str) -> Result<Norm> {
        let norm = Norm {
            weight: self.vector(&format!("{name}.weight"))?,
            bias: self.vector(&format!("{name}.bias"))?,
        };
        if norm.weight.len() != WIDTH || norm.bias.len() != WIDTH {
            bail!("{name} is of another shape than all-MiniLM-L6-v2's");
        }
        Ok(norm)
    }

    fn layer(&self, number: usize) -> Result<Layer> {
        let name = format!("encoder.layer.{number}");
        Ok(Layer {
            attention: self.attention(&format!("{name}.attention.self"))?,
            attention_out: self.linear(&format!("{name}.attention.output.dense"), WIDTH, WIDTH)?,
            attention_norm: self.norm(&format!("{name}.attention.output.LayerNorm"))?,
            up: self.linear(&format!("{name}.intermediate.dense"), WIDTH, INNER)?,
            down: self.linear(&format!("{name}.output.dense"), INNER, WIDTH)?,
            norm: self.norm(&format!("{name}.output.LayerNorm"))?,
        })
    }

    fn attention(&self, name: &str) -> Result<Linear> {
        let mut query = self.linear(&format!("{name}.query"), WIDTH, WIDTH)?;
        let key = self.linear(&format!("{name}.key"), WIDTH, WIDTH)?;
        let value = self.linear(&format!("{name}.value"), WIDTH, WIDTH)?;
        let scale = 1.0 / ((WIDTH / HEADS) as f64).sqrt();
        query.weight = (query.weight * scale)?;
        query.bias.iter_mut().for_each(|bias| *bias *= scale as f32);
        let bias = [query.bias, key.bias, value.bias].concat();
        Ok(Linear { weight: Tensor::cat(&[query.weight, key.weight, value.weight], 1)?.contiguous()?, bias })
    }
}
