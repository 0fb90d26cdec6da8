//! Somebody to tell, who only remembers.

use std::cell::RefCell;

use crate::audit::{Notifier, NotifyError};
use crate::report::sns::Message;

/// Keeps what is published.
#[derive(Debug, Default)]
pub struct MemoryNotifier {
    messages: RefCell<Vec<Message>>,
}

impl MemoryNotifier {
    /// The messages published since this was last asked.
    pub fn take(&self) -> Vec<Message> {
        self.messages.take()
    }
}

impl Notifier for MemoryNotifier {
    async fn publish(&self, message: &Message) -> Result<(), NotifyError> {
        self.messages.borrow_mut().push(message.clone());
        Ok(())
    }
}
