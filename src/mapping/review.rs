//! What is legal in a mapping and probably not meant.

use serde_json::Value;

use crate::event::Paths;
use crate::spec;

use super::compile::{Compiler, Read};
use super::{Step, address};

/// What is legal in a mapping and probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where inside the value.
    pub at: Vec<Step>,
    /// The path that it is about, as it stands there.
    pub path: String,
    /// What is strange about it.
    pub message: String,
    /// What was probably meant.
    pub hint: String,
}

/// Warns of paths that begin with no field of the spec, in their order; of what is no mapping
/// there is nothing to say.
#[must_use]
pub fn review(value: &Value) -> Vec<Warning> {
    let mut paths = Paths::new();
    let Ok((_, read)) = Compiler::new(&mut paths).compile_noting(value) else {
        return Vec::new();
    };
    let warning = |Read { at, path }: Read| {
        let keys = address::parse(&path);
        let first = keys.keys().next()?;
        if spec::field(first).is_some() {
            return None;
        }
        let message = format!("`{first}` is no field of the spec");
        let hint = format!("did you mean `{}`?", spec::path_meant(&path, first));
        Some(Warning { at, path, message, hint })
    };
    read.into_iter().filter_map(warning).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_outside_the_spec_is_warned_of_where_it_sees_the_event() {
        let mapping = json!({
            "user": { "@path": "$.user_id" },
            "plan": [{ "@template": "{{plan}} of {{properties.total}}" }],
            "items": { "@arrayPath": ["properties.items", { "id": { "@path": "$.sku" } }] },
            "whole": { "@path": "$." },
            "lower": { "@transform": {
                "apply": { "a": { "@path": "traits['a']" } },
                "mapping": { "b": { "@path": "$.a" } },
            } },
        });
        let warnings = review(&mapping);
        let said: Vec<_> = warnings.iter().map(|w| (&*w.path, &*w.message, &*w.hint)).collect();
        assert_eq!(
            said,
            [
                ("$.user_id", "`user_id` is no field of the spec", "did you mean `$.userId`?"),
                ("plan", "`plan` is no field of the spec", "did you mean `properties.plan`?"),
            ]
        );
        let key = |key: &str| Step::Key(key.to_owned());
        assert_eq!(warnings[0].at, [key("user"), key("@path")]);
    }
}
