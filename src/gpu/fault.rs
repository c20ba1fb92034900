//! What went wrong with a device for good, and who waits for it meanwhile.

use crate::message::Message;
use futures_channel::oneshot::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// How a device says that it is done with something.
pub(super) type Done = Result<(), wgpu::BufferAsyncError>;
/// Taken by who comes first: the device with its answer, or a fault.
type Slot = Mutex<Option<Sender<Done>>>;

/// The first fault of a device, shared with its callbacks.
#[derive(Clone, Default)]
pub(super) struct Fault(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    first: Option<Message>,
    waits: Vec<Weak<Slot>>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fault {
    /// Notes a fault and ends all waits: a device that was lost may never answer. The first is the cause; later ones are its
    /// echoes.
    pub fn record(&self, cause: Message) {
        let waits = {
            let mut state = locked(&self.0);
            state.first.get_or_insert(cause);
            std::mem::take(&mut state.waits)
        };
        for slot in waits.iter().filter_map(Weak::upgrade) {
            drop(locked(&slot).take());
        }
    }

    /// The first fault.
    pub fn get(&self) -> Option<Message> {
        locked(&self.0).first.clone()
    }

    /// A callback for the device and what it is called with: cancelled where the device has failed, or fails before.
    pub fn wait(&self) -> (impl FnOnce(Done) + Send + 'static, Receiver<Done>) {
        let (sender, receiver) = oneshot::channel();
        let slot = Arc::new(Mutex::new(Some(sender)));
        {
            let mut state = locked(&self.0);
            state.waits.retain(|wait| wait.strong_count() > 0);
            if state.first.is_none() {
                state.waits.push(Arc::downgrade(&slot));
            } else {
                locked(&slot).take();
            }
        }
        let answer = move |done| {
            if let Some(sender) = locked(&slot).take() {
                // The receiver is gone only if the caller was dropped, who then wants no answer.
                let _ = sender.send(done);
            }
        };
        (answer, receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Message};

    #[test]
    fn an_answer_reaches_who_waits() {
        let fault = Fault::default();
        let (answer, mut receiver) = fault.wait();
        assert_eq!(receiver.try_recv(), Ok(None), "not yet");
        answer(Ok(()));
        assert_eq!(receiver.try_recv(), Ok(Some(Ok(()))));
        assert_eq!(fault.get(), None);
    }

    #[test]
    fn a_fault_ends_every_wait_and_the_first_is_the_cause() {
        let fault = Fault::default();
        let (answer, mut receiver) = fault.wait();
        let (_unanswered, mut other) = fault.wait();
        fault.record(Message::uncoded("first"));
        fault.record(Message::uncoded("second"));
        assert!(receiver.try_recv().is_err() && other.try_recv().is_err());
        // An answer that comes after all harms nothing.
        answer(Ok(()));
        let (_late, mut late) = fault.wait();
        assert!(late.try_recv().is_err(), "nobody waits for a device that has failed");
        assert_eq!(fault.get(), Some(Message::uncoded("first")));
    }
}
