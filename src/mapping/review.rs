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
    /// The path or the part of a text that it is about, as it stands there.
    pub path: String,
    /// What is strange about it.
    pub message: String,
    /// What was probably meant.
    pub hint: String,
}

/// Warns of paths that begin with no field of the spec, of filters where there are none, and of
/// texts in braces that nothing is put into; of what is no mapping there is nothing to say.
#[must_use]
pub fn review(value: &Value) -> Vec<Warning> {
    let mut paths = Paths::new();
    let Ok((_, read)) = Compiler::new(&mut paths).compile_noting(value) else {
        return Vec::new();
    };
    let mut warnings: Vec<_> = read.into_iter().filter_map(warning_of_path).collect();
    warn_of_braces(value, &mut Vec::new(), &mut warnings);
    warnings
}

fn warning_of_path(Read { at, path }: Read) -> Option<Warning> {
    let is_template = at.last() == Some(&Step::Key("@template".to_owned()));
    if is_template && path.contains('|') {
        let message = format!("`{path}` is taken for the name of a field");
        let hint = "a @template has no filters; @liquid has".to_owned();
        return Some(Warning { at, path, message, hint });
    }
    let keys = address::parse(&path);
    let first = keys.keys().next()?;
    if spec::field(first).is_some() {
        return None;
    }
    let message = format!("`{first}` is no field of the spec");
    let hint = format!("did you mean `{}`?", spec::path_meant(&path, first));
    Some(Warning { at, path, message, hint })
}

/// Warns of every text that looks like a template and is none. What a directive takes as text is
/// its own affair, and `@literal` says that the braces are meant.
fn warn_of_braces(value: &Value, at: &mut Vec<Step>, warnings: &mut Vec<Warning>) {
    match value {
        Value::String(text) => {
            let Some(tag) = tag_in(text) else { return };
            let message = format!("`{tag}` is sent as it stands");
            let hint =
                "`{ \"@template\": \"…\" }` puts fields in, and `@literal` says that it is meant";
            let (at, path, hint) = (at.clone(), tag.to_owned(), hint.to_owned());
            warnings.push(Warning { at, path, message, hint });
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push(Step::Index(index));
                warn_of_braces(item, at, warnings);
                at.pop();
            }
        }
        Value::Object(object) => {
            for (key, value) in object {
                let is_own = match at.last() {
                    Some(Step::Key(directive)) if directive == "@replace" => key != "value",
                    _ => matches!(
                        &**key,
                        "@literal" | "@template" | "@liquid" | "@path" | "_metadata"
                    ),
                };
                if is_own {
                    continue;
                }
                at.push(Step::Key(key.clone()));
                warn_of_braces(value, at, warnings);
                at.pop();
            }
        }
        _ => {}
    }
}

/// The first `{{…}}` or `{%…%}` of a text that holds anything.
fn tag_in(text: &str) -> Option<&str> {
    let find = |(opening, closing): (&str, &str)| {
        let start = text.find(opening)?;
        let inside = &text[start + opening.len()..];
        let length = inside.find(closing)?;
        let is_blank = inside[..length].trim().is_empty();
        let end = start + opening.len() + length + closing.len();
        (!is_blank).then(|| &text[start..end])
    };
    [("{{", "}}"), ("{%", "%}")].into_iter().find_map(find)
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

    #[test]
    fn what_looks_like_a_template_and_is_none_is_warned_of() {
        let mapping = json!({
            "plain": ["hello {{userId}}"],
            "case": { "@case": { "operator": "upper", "value": "{% if userId %}" } },
            "filter": { "@template": "{{ properties.name | upcase }}" },
            "meant": { "@literal": "{{userId}}" },
            "liquid": { "@liquid": "{{ properties.name | upcase }}" },
            "braces": "{{}} {a} }} {{",
            "replaced": { "@replace": { "pattern": "{{name}}", "value": { "@path": "event" } } },
        });
        let warnings = review(&mapping);
        let said: Vec<_> = warnings.iter().map(|w| &*w.message).collect();
        assert_eq!(
            said,
            [
                "`properties.name | upcase` is taken for the name of a field",
                "`{{userId}}` is sent as it stands",
                "`{% if userId %}` is sent as it stands",
            ]
        );
        assert_eq!(warnings[1].at, [Step::Key("plain".to_owned()), Step::Index(0)]);
        assert_eq!(review(&json!("https://x.y/{{userId}}"))[0].path, "{{userId}}");
    }
}
