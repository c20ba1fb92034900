//! LayerNorm over rows (Ba et al. 2016).

use super::row::by_row;
use super::{LayerNormBackward, LayerNormBackwardParams, dims2, want_inputs, want_shape, wgsl};
use crate::cpu::vecops;
use crate::error::Result;
use crate::graph::{Backward, CpuArgs, Elem, Kernel, Meta, Node, Op, Shapes, Target};
use crate::message::Message;
use std::sync::Arc;

/// `y = (x - mean) / sqrt(var + eps) * weight + bias` over each row.
///
/// Inputs: x `(T, C)`, weight `(C)`, optionally bias `(C)`. Output: `(T, C)`.
#[derive(Debug, Clone)]
pub struct LayerNorm {
    /// Added to the variance.
    pub eps: f32,
}

impl Op for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn infer(&self, inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        want_inputs(inputs, &[2, 3])?;
        let (rows, c) = dims2(inputs[0], "x")?;
        want_shape(inputs[1], &[c], "weight")?;
        inputs.get(2).map_or(Ok(()), |b| want_shape(b, &[c], "bias"))?;
        Ok(vec![Meta::f32(&[rows, c])])
    }

    #[cfg(feature = "train")]
    fn backward(&self, g: &mut Backward<'_>, node: &Node) -> Result<()> {
        let (x, weight, dy) = (node.inputs[0], node.inputs[1], g.of_output(node)?);
        let stats = g.unique(&format!("{}.stats", g.graph.tensor(node.outputs[0]).name));
        let op = Arc::new(LayerNormBackward { eps: self.eps });
        let made = g.graph.apply(&[&g.name(x), &stats], op, &[dy, x, weight])?;
        if g.wants(weight) {
            let parameters = &node.inputs[1..];
            let mut inputs = vec![dy, x, made[1]];
            inputs.extend(parameters.iter().map(|&p| g.parameter(p)));
            let names: Vec<String> = parameters.iter().map(|&p| g.version(p)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let op = Arc::new(LayerNormBackwardParams { bias: parameters.len() == 2 });
            let new = g.graph.apply(&names, op, &inputs)?;
            parameters.iter().zip(new).for_each(|(&p, version)| g.set_parameter(p, version));
        }
        g.add(x, made[0])
    }

    fn kernels(&self, s: Shapes<'_>, target: Target) -> Vec<Kernel> {
        let (rows, c) = (s.input(0, 0), s.input(0, 1));
        let bias = s.inputs.len() == 3;
        let mut k = Kernel::new("layer_norm", wgsl!("layer_norm")).read("x", Elem::F32, 0).read("weight", Elem::F32, 1);
        if bias {
            k = k.read("bias", Elem::F32, 2);
        }
        k = k.include(if bias { wgsl!("common/bias") } else { wgsl!("common/bias_none") });
        k = k
            .write("y", Elem::F32, 0)
            .constant("C", c)
            .constant("N", c)
            .constant("C_COL", 0u32)
            .constant("EPS", self.eps);
        vec![by_row(k, rows, c, target).include(wgsl!("common/finite")).include(wgsl!("common/row_moments"))]
    }

    fn cpu(&self, args: &mut CpuArgs<'_>, _task: usize) {
        let c = args.shapes().input(0, 1);
        let (x, weight) = (args.f32(0), args.f32(1));
        let bias = (args.shapes().inputs.len() == 3).then(|| args.f32(2));
        for (x, y) in x.chunks_exact(c).zip(args.out_f32(0).chunks_exact_mut(c)) {
            vecops::layer_norm_row(x, weight, bias, self.eps, y);
        }
    }

    fn flops(&self, s: Shapes<'_>) -> u64 {
        8 * s.outputs[0].len() as u64
    }
}
