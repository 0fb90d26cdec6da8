use std::cell::RefCell;

use serde_json::Value;

use crate::audit::{InvokeError, Invoker, Notifier, NotifyError};
use crate::ec2::cause;
use crate::finding::Report;
use crate::report::{Message, fitting, messages, parts};

/// Keeps the messages that SNS would get, and what is handed on.
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

    /// The same, which are kept.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.messages.borrow().clone()
    }

    /// What was handed on since this was last asked.
    pub fn take_handed_on(&self) -> Vec<Value> {
        self.handed_on.take()
    }
}

impl Notifier for MemoryNotifier {
    async fn publish(&self, report: &Report) -> Result<(), NotifyError> {
        let messages = messages(report).map_err(|error| NotifyError(cause(error)))?;
        self.messages.borrow_mut().extend(messages);
        Ok(())
    }

    fn fitting(&self, digest: &Report) -> usize {
        fitting(digest).unwrap_or(usize::MAX)
    }

    fn parts(&self, report: &Report) -> Vec<usize> {
        parts(report).unwrap_or_default()
    }
}

impl Invoker for MemoryNotifier {
    async fn invoke(&self, payload: &Value) -> Result<(), InvokeError> {
        self.handed_on.borrow_mut().push(payload.clone());
        Ok(())
    }
}
