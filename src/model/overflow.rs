//! Where a model's numbers overflow. It is looked for only once an answer has turned out not to be finite, so that nothing is
//! slower as long as all is well.

use super::Model;
use super::gpt::GptPlan;
use crate::error::{Error, Result};
use crate::graph::Storage;
use crate::message::{Message, message};
use crate::ops::usable;

/// Tokens of a run that looks for an overflow.
const ROWS: usize = 16;

/// The first number of a forward pass that is not finite, or a logit that is too large to compute with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Overflow {
    /// The tensor, as captures call it.
    tensor: String,
    value: f32,
    /// Position of the token.
    position: usize,
    /// The strength of the adapters, where the model is sound without them.
    strength: Option<f32>,
}

/// The error for weights with which numbers overflow in `place`.
pub(crate) fn damaged(place: Message) -> Error {
    Error::Overflow(message!(
        "overflow.weights",
        "the numbers overflow in {place}: the weights are damaged, or their training diverged; \
         choose another file of the model",
        place
    ))
}

impl Overflow {
    fn place(&self) -> Message {
        message!(
            "overflow.at",
            "{place} ({tensor} is {value} at position {position})",
            place = part_of(&self.tensor),
            tensor = self.tensor,
            value = self.value,
            position = self.position
        )
    }

    fn error(&self) -> Error {
        match self.strength {
            None => damaged(self.place()),
            Some(x) => Error::Overflow(message!(
                "overflow.adapters",
                "the numbers overflow in {place}: the adapters act too strongly; lower their strength, \
                 now {strength}, or choose other adapters",
                place = self.place(),
                strength = x
            )),
        }
    }
}

/// What a tensor of the forward pass is, in words.
fn part_of(tensor: &str) -> Message {
    let in_block = tensor.strip_prefix("h.").map(|rest| rest.split_once('.').unwrap_or((rest, "")));
    let Some((block, name)) = in_block else {
        let name = if tensor.starts_with("wte.") { "embed" } else { tensor };
        return match name {
            "embed" => message!("place.embedding", "the embedding"),
            "ln_f" => message!("place.final_norm", "the final LayerNorm"),
            _ => message!("place.logits", "the logits"),
        };
    };
    // An adapter's tensors are named after the layer beside which it stands.
    let name = name.split('.').take(2).collect::<Vec<_>>().join(".");
    match name.as_str() {
        "ln_1" | "ln_2" => message!("place.layer_norm", "block {block}'s LayerNorm", block),
        "attn.qkv" => message!("place.qkv", "block {block}'s queries, keys and values", block),
        "attn.out" | "attn.gated" => message!("place.scores", "block {block}'s attention scores", block),
        "attn.proj" => message!("place.attention", "block {block}'s attention output", block),
        "mlp.fc" | "mlp.act" => message!("place.mlp_inner", "block {block}'s inner MLP layer", block),
        "mlp.proj" | "mlp.gated" => message!("place.mlp", "block {block}'s MLP output", block),
        _ => message!("place.residual", "block {block}'s residual stream", block),
    }
}

impl Model {
    /// The error for an answer to `ids` that is not finite: names where that first arose, which takes a few runs over the text.
    /// `what` is not finite, which must do where these do not show more. Keys and values are forgotten.
    pub(crate) async fn overflow(&mut self, ids: &[u32], what: Message) -> Error {
        match self.find_overflow(ids).await {
            Ok(Some(found)) => found.error(),
            // The runs round otherwise, or there is no room for them.
            Ok(None) | Err(_) => damaged(what),
        }
    }

    /// The first number of the forward pass over `ids` that is not finite, and whether the adapters are the cause.
    ///
    /// # Errors
    /// [`Error::Device`] when the device failed or has no room for it.
    async fn find_overflow(&mut self, ids: &[u32]) -> Result<Option<Overflow>> {
        let found = self.search(ids).await;
        let scale = self.lora_scale;
        let full = self.lora.as_ref().map(|lora| lora.scale());
        match (found, full) {
            (Ok(Some(mut found)), Some(full)) if scale != 0.0 => {
                self.put_lora_scale(0.0);
                let without = self.search(ids).await;
                self.put_lora_scale(scale);
                found.strength = without?.is_none().then_some(scale / full);
                Ok(Some(found))
            }
            (found, _) => found,
        }
    }

    /// Where the numbers overflow in the forward pass of training over `ids`, in words: with adapters at full strength, and
    /// nothing switched off. `None` where they do not, or there is no room to look.
    pub(crate) async fn training_overflow(&mut self, ids: &[u32]) -> Option<Message> {
        let (scale, gates) = (self.lora_scale, std::mem::take(&mut self.gates));
        let full = self.lora.as_ref().map_or(scale, |lora| lora.scale());
        self.put_lora_scale(full);
        let found = self.search(ids).await;
        self.gates = gates;
        self.put_lora_scale(scale);
        found.ok().flatten().map(|found| found.place())
    }

    fn put_lora_scale(&mut self, scale: f32) {
        self.lora_scale = scale;
        self.write_constants();
    }

    /// Goes over the text in parts, first from block to block, then within the first block that is at fault.
    async fn search(&mut self, ids: &[u32]) -> Result<Option<Overflow>> {
        self.cancel();
        self.forget();
        let rows = ROWS.min(self.config.n_ctx);
        let all = self.forward_names(rows)?;
        let milestone = |name: &String| {
            let block = name.strip_prefix("h.").is_some_and(|rest| !rest.contains('.'));
            block || ["embed", "ln_f", "logits"].contains(&name.as_str())
        };
        let milestones: Vec<String> = all.iter().filter(|name| milestone(name)).cloned().collect();
        let mut found = None;
        for (i, part) in ids.chunks(rows).enumerate() {
            let Some(first) = self.first_of(part, i * rows, rows, &milestones).await? else { continue };
            let at = |name: &String| all.iter().position(|n| n == name).unwrap_or(0);
            let before = milestones.iter().position(|name| *name == first.tensor).and_then(|m| m.checked_sub(1));
            let from = before.map_or(0, |m| at(&milestones[m]) + 1);
            let within = all[from..=at(&first.tensor)].to_vec();
            found = Some(self.first_of(part, i * rows, rows, &within).await?.unwrap_or(first));
            break;
        }
        self.forget();
        let unwanted = |captures: &[String]| captures.iter().all(|name| all.contains(name));
        self.drop_plans(
            |kind| matches!(kind, GptPlan::Probe { rows: r, captures } if *r == rows && unwanted(captures)),
        )
        .await?;
        Ok(found)
    }

    /// The tensors of the forward pass that can be looked at, in the order in which they are computed.
    fn forward_names(&self, rows: usize) -> Result<Vec<String>> {
        let graph = self.forward_graph(rows)?;
        let updated: Vec<_> = graph.tensors.iter().filter_map(|t| t.updates).collect();
        let outputs = graph.nodes.iter().flat_map(|node| &node.outputs);
        let lasting = outputs.filter(|&&t| graph.tensor(t).storage == Storage::Temp && !updated.contains(&t));
        Ok(lasting.map(|&t| graph.tensor(t).name.clone()).collect())
    }

    /// The first of `names`, which are in the order of the computation, with an element that is not finite.
    async fn first_of(&mut self, ids: &[u32], pos0: usize, rows: usize, names: &[String]) -> Result<Option<Overflow>> {
        let found = self.capture_rows(ids, pos0, rows, names, 0).await?;
        Ok(names.iter().zip(&found).find_map(|(name, (_, values))| {
            let width = values.len() / rows;
            let at = first_lost(name, &values[..ids.len() * width])?;
            Some(Overflow { tensor: name.clone(), value: values[at], position: pos0 + at / width, strength: None })
        }))
    }
}

/// The place of the first element that is not finite, or in logits too large to compute with.
pub(super) fn first_lost(name: &str, values: &[f32]) -> Option<usize> {
    let fits = |x: &f32| if name == "logits" { usable(std::slice::from_ref(x)) } else { x.is_finite() };
    values.iter().position(|x| !fits(x))
}
