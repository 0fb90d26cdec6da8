use std::sync::{Mutex, MutexGuard};

/// A map of what was built is whole after any panic.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.lock() {
        Ok(inside) => inside,
        Err(poisoned) => poisoned.into_inner(),
    }
}
