//! The views' numbers against PyTorch's, for native and browser tests alike.

use super::runner::difference;
use gpt_playground::inspect::{self, LensTarget};
use gpt_playground::model::{Model, Progress};
use safetensors::SafeTensors;

/// A fixture made by `scripts/inspect_fixtures.py`.
pub struct Fixture<'a>(SafeTensors<'a>);

impl<'a> Fixture<'a> {
    /// From the file's bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(SafeTensors::deserialize(bytes).expect("a safetensors file"))
    }

    /// A float tensor with its shape.
    pub fn f32(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let view = self.0.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        (view.shape().to_vec(), bytemuck::pod_collect_to_vec(view.data()))
    }

    /// Whole numbers, stored as i64.
    pub fn ids(&self, name: &str) -> Vec<u32> {
        let view = self.0.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        let values: Vec<i64> = bytemuck::pod_collect_to_vec(view.data());
        values.into_iter().map(|v| u32::try_from(v).expect("not negative")).collect()
    }
}

async fn unhurried(_: Progress) -> gpt_playground::error::Result<()> {
    Ok(())
}

fn close(what: &str, got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len(), "{what}");
    let d = difference(got, want);
    assert!(d < 1e-4, "{what} differs by {d:e}");
}

/// Gates with some units off: a head, or the MLP for `None`.
pub fn gates(model: &Model, off: &[(usize, Option<usize>)]) -> Vec<f32> {
    let heads = model.config().n_head;
    let mut gates = vec![1.0; model.gate_count()];
    off.iter().for_each(|&(layer, head)| gates[layer * (heads + 1) + head.unwrap_or(heads)] = 0.0);
    gates
}

/// Everything that views show, against the fixture.
pub async fn equals(model: &mut Model, fixture: &Fixture<'_>) {
    let ids = fixture.ids("ids");
    scores(model, fixture, &ids).await;
    attention(model, fixture, &ids).await;
    lens(model, fixture, &ids).await;
    ablation(model, fixture, &ids).await;
    values(model, fixture, &ids).await;
}

async fn scores(model: &mut Model, fixture: &Fixture<'_>, ids: &[u32]) {
    let rows = model.look(ids, &mut unhurried).await.expect("a look").to_vec();
    let logprobs: Vec<f32> = rows[..ids.len() - 1].iter().map(|r| r.logprob).collect();
    close("log-probabilities", &logprobs, &fixture.f32("logprobs").1);
    close("entropies", &rows.iter().map(|r| r.entropy).collect::<Vec<_>>(), &fixture.f32("entropies").1);
    let ranks: Vec<u32> = rows[..ids.len() - 1].iter().map(|r| r.rank).collect();
    assert_eq!(ranks, fixture.ids("ranks"));
    // A shorter text, then another end: rows of what is common stay, the last common row speaks of the new token.
    let half = ids.len() / 2;
    let mut other = ids[..half].to_vec();
    other.push((ids[half] + 1) % model.config().vocab_size as u32);
    let again = model.look(&other, &mut unhurried).await.expect("a look").to_vec();
    assert_eq!(again[..half - 1], rows[..half - 1]);
    let logits = model.last_logits(&ids[..half], &mut unhurried).await.expect("logits").to_vec();
    let distribution = inspect::Distribution::new(&logits, &Default::default(), &ids[..half]).expect("a distribution");
    close("another target", &[again[half - 1].logprob], &[distribution.logprobs[other[half] as usize]]);
    let best: Vec<u32> = distribution.best(3).iter().map(|c| c.id).collect();
    assert_eq!(best, rows[half - 1].top[..3].iter().map(|t| t.0).collect::<Vec<_>>());
}

async fn attention(model: &mut Model, fixture: &Fixture<'_>, ids: &[u32]) {
    let (shape, want) = fixture.f32("attentions");
    let [layers, heads, t, _] = shape[..] else { panic!("attentions have shape {shape:?}") };
    let (_, mean) = fixture.f32("mean_attention");
    for layer in 0..layers {
        for head in 0..heads {
            let got = inspect::attention(model, ids, layer, Some(head), &mut unhurried).await.expect("a map");
            let want = &want[(layer * heads + head) * t * t..][..t * t];
            close(&format!("attention of layer {layer}, head {head}"), &got, want);
        }
        let got = inspect::attention(model, ids, layer, None, &mut unhurried).await.expect("a map");
        close(&format!("mean attention of layer {layer}"), &got, &mean[layer * t * t..][..t * t]);
    }
    let got = inspect::rollout(model, ids, layers - 1, &mut unhurried).await.expect("a rollout");
    close("rollout", &got, &fixture.f32("rollout").1);
    for size in [7, t, t + 9] {
        let (cells, got) = inspect::head_maps(model, ids, size, &mut unhurried).await.expect("maps");
        close(&format!("head maps of {size}"), &got, &reduced(&want, layers * heads, t, cells));
    }
}

/// Maps `(n, t, t)` reduced to `(n, cells, cells)`: summed over keys, averaged over queries.
fn reduced(maps: &[f32], n: usize, t: usize, cells: usize) -> Vec<f32> {
    let group = t.div_ceil(cells);
    let mut found = vec![0.0; n * cells * cells];
    for (i, p) in maps.iter().enumerate() {
        let (map, q, k) = (i / (t * t), i / t % t, i % t);
        let queries = group.min(t - q / group * group);
        found[(map * cells + q / group) * cells + k / group] += p / queries as f32;
    }
    found
}

async fn lens(model: &mut Model, fixture: &Fixture<'_>, ids: &[u32]) {
    let (shape, want) = fixture.f32("lens_logprobs");
    let (levels, rows) = (shape[0], shape[1]);
    let next = inspect::lens(model, ids, 0..ids.len(), LensTarget::Next, &mut unhurried).await.expect("a lens");
    assert_eq!((next.levels.len(), next.targets[rows]), (levels, u32::MAX));
    for (level, want) in next.levels.iter().zip(want.chunks_exact(rows)) {
        close("lens", &level[..rows].iter().map(|r| r.logprob).collect::<Vec<_>>(), want);
    }
    // The last position, by its whole distribution.
    let (shape, logits) = fixture.f32("lens_logits");
    let last = ids.len() - 1;
    let answer = inspect::lens(model, ids, last..last + 1, LensTarget::Answer, &mut unhurried).await.expect("a lens");
    assert_eq!(answer.levels[levels - 1][0].rank, 0, "the last level's answer is the model's");
    for (level, logits) in answer.levels.iter().zip(logits.chunks_exact(shape[1])) {
        let best = inspect::Distribution::new(logits, &Default::default(), &[]).expect("a distribution").best(10);
        let row = &level[0];
        close("lens, ten best", &row.top.iter().map(|t| t.1).collect::<Vec<_>>(), &logprobs(&best));
        assert_eq!(row.top[0].0, best[0].id);
    }
}

fn logprobs(candidates: &[inspect::Candidate]) -> Vec<f32> {
    candidates.iter().map(|c| c.logprob).collect()
}

async fn ablation(model: &mut Model, fixture: &Fixture<'_>, ids: &[u32]) {
    let (shape, want) = fixture.f32("ablated_logits");
    let heads = model.config().n_head;
    let target = ids[0];
    let full = model.last_logits(ids, &mut unhurried).await.expect("logits").to_vec();
    let mut ablated = Vec::new();
    for (unit, want) in want.chunks_exact(shape[1]).enumerate() {
        let (layer, head) = (unit / (heads + 1), Some(unit % (heads + 1)).filter(|&h| h < heads));
        model.set_gates(&gates(model, &[(layer, head)])).expect("gates");
        let got = model.last_logits(ids, &mut unhurried).await.expect("logits").to_vec();
        close(&format!("logits without layer {layer}, {head:?}"), &got[..shape[1]], want);
        ablated.push(got);
    }
    let last = model.config().n_layer - 1;
    model.set_gates(&gates(model, &[(0, Some(0)), (last, None)])).expect("gates");
    let got = model.last_logits(ids, &mut unhurried).await.expect("logits").to_vec();
    close("logits without two", &got[..shape[1]], &fixture.f32("ablated_two").1);

    model.set_gates(&vec![1.0; model.gate_count()]).expect("gates");
    let mut reports = Vec::new();
    let mut pace = async |p: Progress, found: &inspect::Ablation| {
        reports.push((p, found.effects.len()));
        Ok(())
    };
    let ranking = inspect::ablate(model, ids, target, &mut pace).await.expect("a ranking");
    let n = ids.len();
    assert!(reports.is_sorted_by_key(|(p, _)| p.done), "it only goes forward");
    assert!(
        reports.iter().all(|(p, found)| (found * n..=(found + 2) * n).contains(&p.done)),
        "tokens keep to the units"
    );
    assert!(reports.last().is_some_and(|(p, _)| p.done == p.total && p.total == (model.gate_count() + 1) * n));
    let logprob = |logits: &[f32]| {
        inspect::Distribution::new(logits, &Default::default(), &[]).expect("a distribution").logprobs[target as usize]
    };
    close("the ranking's baseline", &[ranking.logprob], &[logprob(&full)]);
    let (got, want): (Vec<f32>, Vec<f32>) =
        ranking.effects.iter().zip(&ablated).map(|(e, l)| (e.logprob, logprob(l))).unzip();
    close("the ranking", &got, &want);
    assert_eq!(model.gates(), vec![1.0; model.gate_count()], "the gates are as before");
    let again = model.last_logits(ids, &mut unhurried).await.expect("logits").to_vec();
    close("logits with all on again", &again, &full);
}

async fn values(model: &mut Model, fixture: &Fixture<'_>, ids: &[u32]) {
    let (shape, want) = fixture.f32("attentions");
    let [layers, heads, t, _] = shape[..] else { panic!("attentions have shape {shape:?}") };
    let flow = inspect::flow(model).expect("a flow");
    for layer in 0..layers {
        let found = inspect::values(model, ids, Some(layer), &mut unhurried).await.expect("values");
        let names: Vec<&str> = flow.iter().filter(|n| n.layer == Some(layer)).map(|n| n.name.as_str()).collect();
        assert_eq!(found.tensors.iter().map(|t| t.0.as_str()).collect::<Vec<_>>(), names);
        let rows = found.attention.expect("a block has attention");
        assert_eq!((rows.heads, rows.keys), (heads, t));
        let want: Vec<f32> =
            (0..heads).flat_map(|h| want[((layer * heads + h) * t + t - 1) * t..][..t].to_vec()).collect();
        close(&format!("last row of layer {layer}"), &rows.probs, &want);
    }
    let outside = inspect::values(model, ids, None, &mut unhurried).await.expect("values");
    let logits = outside.tensors.iter().find(|t| t.0 == "logits").expect("logits");
    close("logits on their way", &logits.2, model.last_logits(ids, &mut unhurried).await.expect("logits"));
}
