//! What to say of a run whose numbers overflow: where they do, and whether the training or the model is to blame.

use super::data::Batch;
use super::options::TrainOptions;
use crate::error::Error;
use crate::message::{Message, message};
use crate::model::{Model, damaged};

/// Where the numbers overflow in the forward pass over `batches`, in words.
async fn place(model: &mut Model, options: &TrainOptions, batches: &[Batch]) -> Option<Message> {
    for sequence in batches.iter().flat_map(|batch| batch.inputs.chunks(options.context)) {
        if let Some(place) = model.training_overflow(sequence).await {
            return Some(place);
        }
    }
    None
}

/// Of the step after `done` whole ones, whose `loss` on `batches`, or gradient, is not finite.
pub(super) async fn of_step(model: &mut Model, o: &TrainOptions, done: usize, batches: &[Batch], loss: f32) -> Error {
    let place = match loss.is_finite() {
        true => message!("place.gradient", "the gradient"),
        false => place(model, o, batches).await.unwrap_or_else(|| message!("place.loss", "the loss")),
    };
    // No learning rate has changed anything yet.
    if done == 0 {
        return damaged(place);
    }
    Error::Overflow(message!(
        "diverged.loss",
        "the loss is no longer a number after {steps} steps, since the numbers overflow in \
         {place}; the weights are those of before. Train with a lower learning rate (now {lr}) \
         or stronger clipping (now {grad_clip})",
        steps = done,
        place,
        lr = o.lr,
        grad_clip = o.grad_clip
    ))
}

/// Of a validation after `done` steps whose loss is not finite.
pub(super) async fn of_validation(model: &mut Model, o: &TrainOptions, done: usize, windows: &[Batch]) -> Error {
    let place = place(model, o, windows).await.unwrap_or_else(|| message!("place.loss", "the loss"));
    if done == 0 {
        return damaged(place);
    }
    Error::Overflow(message!(
        "diverged.validation",
        "the validation loss is no longer a number after {steps} steps, since the numbers \
         overflow in {place}. Train with a lower learning rate (now {lr}) or stronger clipping \
         (now {grad_clip})",
        steps = done,
        place,
        lr = o.lr,
        grad_clip = o.grad_clip
    ))
}
