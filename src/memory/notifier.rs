//! Somebody to tell, and somebody to hand the rest to, who only remembers.

use std::cell::RefCell;

use serde_json::Value;

use crate::audit::{Notifier, NotifyError, Onward, OnwardError};
use crate::report::sns::Message;

/// Keeps what is published, and what is handed on.
#[derive(Debug, Default)]
pub struct MemoryNotifier {
    messages: RefCell<Vec<Message>>,
    handed_on: RefCell<Vec<Value>>,
}

impl MemoryNotifier {
    /// The messages published since this was last asked.
    pub fn take(&self) -> Vec<Message> {
        self.messages.take()
    }

    /// What was handed on since this was last asked.
    pub fn take_handed_on(&self) -> Vec<Value> {
        self.handed_on.take()
    }
}

impl Notifier for MemoryNotifier {
    async fn publish(&self, message: &Message) -> Result<(), NotifyError> {
        self.messages.borrow_mut().push(message.clone());
        Ok(())
    }
}

impl Onward for MemoryNotifier {
    async fn go_on(&self, payload: &Value) -> Result<(), OnwardError> {
        self.handed_on.borrow_mut().push(payload.clone());
        Ok(())
    }
}
