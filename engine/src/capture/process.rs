//! Names of the processes that packets belong to.

use std::collections::HashMap;

use super::limits::MAX_PROCESSES;

/// Different names, numbered from 1 in the order in which they were met; 0 stands for none.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    names: Vec<String>,
    codes: HashMap<String, u32>,
}

impl Processes {
    /// The number of a name, which is kept. 0 for an empty name, and for new ones once [`MAX_PROCESSES`] are kept.
    pub fn code(&mut self, name: &str) -> u32 {
        if let Some(&code) = self.codes.get(name) {
            return code;
        }
        if name.is_empty() || self.is_full() {
            return 0;
        }
        self.names.push(name.to_owned());
        let code = self.names.len() as u32;
        self.codes.insert(name.to_owned(), code);
        code
    }

    /// The name with that number; empty for 0 and for numbers that were never given.
    pub fn name(&self, code: u32) -> &str {
        let place = (code as usize).checked_sub(1);
        place.and_then(|place| self.names.get(place)).map_or("", String::as_str)
    }

    /// All names, number 1 first.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether further names are not kept.
    pub fn is_full(&self) -> bool {
        self.names.len() >= MAX_PROCESSES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_from_one_and_nothing_is_zero() {
        let mut processes = Processes::default();
        assert_eq!(["curl", "", "sshd", "curl"].map(|name| processes.code(name)), [1, 0, 2, 1]);
        assert_eq!([0, 1, 2, 3].map(|code| processes.name(code)), ["", "curl", "sshd", ""]);
        assert_eq!(processes.names(), ["curl", "sshd"]);
    }

    #[test]
    fn names_beyond_the_limit_are_not_kept() {
        let mut processes = Processes::default();
        for number in 0..MAX_PROCESSES {
            assert_ne!(processes.code(&number.to_string()), 0);
        }
        assert!(processes.is_full());
        assert_eq!((processes.code("one more"), processes.code("0")), (0, 1));
    }
}
