//! What a BERT layer does between its matrix products, in place and on whole rows. Compiled for
//! several instruction sets, the best of which is chosen at run time; it knows no model.
//!
//! Candle's own versions allocate a tensor for each step and compute `erf` one number at a time,
//! which took longer than the products themselves.

use pulp::Arch;

/// The published BERT models are trained with it.
const NORM_EPSILON: f32 = 1e-12;

/// Scale and shift after a normalisation.
pub(crate) struct Norm {
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

pub(crate) fn add_bias(arch: Arch, rows: &mut [f32], bias: &[f32]) {
    arch.dispatch(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(bias.len()) {
                for (value, bias) in row.iter_mut().zip(bias) {
                    *value += bias;
                }
            }
        },
    );
}

/// Adds the bias, then `x · Φ(x)`, the exact (not the tanh) form.
pub(crate) fn add_bias_and_gelu(arch: Arch, rows: &mut [f32], bias: &[f32]) {
    arch.dispatch(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(bias.len()) {
                for (value, bias) in row.iter_mut().zip(bias) {
                    *value = gelu(*value + bias);
                }
            }
        },
    );
}

/// `norm(rows + bias + residual)`: how both halves of a layer end.
pub(crate) fn close(arch: Arch, rows: &mut [f32], bias: &[f32], residual: &[f32], norm: &Norm) {
    let width = bias.len();
    arch.dispatch(
        #[inline(always)]
        || {
            for (row, residual) in rows.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
                for ((value, bias), residual) in row.iter_mut().zip(bias).zip(residual) {
                    *value += bias + residual;
                }
                normalise(row, norm);
            }
        },
    );
}

pub(crate) fn normalise_rows(arch: Arch, rows: &mut [f32], norm: &Norm) {
    arch.dispatch(
        #[inline(always)]
        || rows.chunks_exact_mut(norm.weight.len()).for_each(|row| normalise(row, norm)),
    );
}

pub(crate) fn softmax(arch: Arch, rows: &mut [f32], width: usize) {
    arch.dispatch(
        #[inline(always)]
        || {
            for row in rows.chunks_exact_mut(width) {
                let most = row
                    .iter()
                    .fold(f32::NEG_INFINITY, |most, value| if *value > most { *value } else { most });
                for value in row.iter_mut() {
                    *value = exp(*value - most);
                }
                let share = 1.0 / sum(row, |value| value);
                for value in row.iter_mut() {
                    *value *= share;
                }
            }
        },
    );
}

/// The mean of the rows, scaled to length 1.
pub(crate) fn mean_direction(rows: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0_f32; width];
    for row in rows.chunks_exact(width) {
        for (mean, value) in mean.iter_mut().zip(row) {
            *mean += value;
        }
    }
    let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
    // A vector of length zero has no direction; the model gives none, a broken file might.
    if length > 0.0 {
        mean.iter_mut().for_each(|value| *value /= length);
    }
    mean
}

#[inline(always)]
fn normalise(row: &mut [f32], norm: &Norm) {
    let width = row.len() as f32;
    let mean = sum(row, |value| value) / width;
    let variance = sum(row, |value| (value - mean) * (value - mean)) / width;
    let scale = 1.0 / (variance + NORM_EPSILON).sqrt();
    for ((value, weight), bias) in row.iter_mut().zip(&norm.weight).zip(&norm.bias) {
        *value = (*value - mean) * scale * weight + bias;
    }
}

/// Sums in sixteen lanes: one after another would forbid the compiler to use wide registers.
#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let chunks = row.chunks_exact(16);
    let rest: f32 = chunks.remainder().iter().map(|value| of(*value)).sum();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += of(*value);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Abramowitz and Stegun 7.1.26; the error is at most 1.5e-7.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let polynomial =
        ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    (1.0 - polynomial * exp(-size * size)).copysign(x)
}

/// `e^x` for `x ≤ 0` without branches: the whole part goes into the exponent's bits, the rest through
/// a polynomial (relative error 2e-7). Adding 1.5·2²³ rounds to a whole number in the lowest bits.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = x - whole * LN_2_HIGH - whole * LN_2_LOW;
    let polynomial = ((((1.987_569_1e-4 * rest + 1.398_2e-3) * rest + 8.333_452e-3) * rest + 4.166_579_6e-2)
        * rest
        + 1.666_666_5e-1)
        * rest
        + 0.5;
    let power = polynomial * rest * rest + rest + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    power * f32::from_bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_gelu_are_as_exact_as_single_precision_needs() {
        for step in 0..8700 {
            let x = -f64::from(step) / 100.0;
            let (fast, exact) = (f64::from(exp(x as f32)), f64::from(x as f32).exp());
            assert!((fast / exact - 1.0).abs() < 5e-7, "exp({x}) = {fast}, not {exact}");
        }
        // Φ at 0, 1, −1 and 3, from tables.
        for (x, phi) in
            [(0.0, 0.5), (1.0, 0.841_344_8), (-1.0, 0.158_655_25), (3.0, 0.998_650_1), (-12.0, 0.0)]
        {
            assert!((gelu(x) - x * phi).abs() < 1e-6, "gelu({x}) = {}", gelu(x));
        }
    }

    #[test]
    fn softmax_sums_to_one_and_keeps_the_order() {
        let mut rows: Vec<f32> = (0..46).map(|i| (i % 23) as f32 * 3.0 - 30.0).collect();
        softmax(Arch::new(), &mut rows, 23);
        for row in rows.chunks(23) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert!(row.is_sorted());
        }
    }

    #[test]
    fn a_normalised_row_has_mean_zero_and_variance_one() {
        let mut rows: Vec<f32> = (0..100).map(|i| (i * i % 37) as f32).collect();
        let norm = Norm { weight: vec![1.0; 50], bias: vec![0.0; 50] };
        close(Arch::new(), &mut rows, &[0.5; 50], &[0.25; 100], &norm);
        for row in rows.chunks(50) {
            assert!(row.iter().sum::<f32>().abs() < 1e-3);
            assert!((row.iter().map(|x| x * x).sum::<f32>() / 50.0 - 1.0).abs() < 1e-4);
        }
    }
}
