//! The directives by name: one file each, one line in each of the tables here.

mod array_path;
mod case;
mod condition;
mod exclude;
mod flatten;
mod json;
mod liquid;
mod merge;
mod path;
mod replace;
mod template;
mod transform;

use serde_json::Value;

use crate::spelling::did_you_mean;

use super::Unresolved;
use super::compile::{Compiler, Refused};
use super::node::Node;
use super::scope::Scope;

/// An object whose only key begins with `@`.
#[derive(Debug)]
pub(super) enum Directive {
    Path(path::FromPath),
    Template(template::Template),
    Literal(Box<Node>),
    If(Box<condition::If>),
    Case(case::Case),
    Replace(Box<replace::Replace>),
    ArrayPath(Box<array_path::ArrayPath>),
    Json(json::Json),
    Flatten(flatten::Flatten),
    Merge(merge::Merge),
    Transform(Box<transform::Transform>),
    ExcludeWhenNull(exclude::ExcludeWhenNull),
    Liquid(Box<liquid::Liquid>),
}

/// What can stand behind a directive's `@`.
const NAMES: [&str; 13] = [
    "path",
    "template",
    "literal",
    "if",
    "case",
    "replace",
    "arrayPath",
    "json",
    "flatten",
    "merge",
    "transform",
    "excludeWhenNull",
    "liquid",
];

/// The longest path or template that an event may give, in bytes. Those are looked up in the
/// whole event, for which this bounds the time.
const LONGEST_GIVEN: usize = 5120;

/// The most bytes that one result may have where an event could make it grow beyond all measure.
const LARGEST: usize = 16 << 20;

/// How deep a value may be nested that is rebuilt level by level.
const DEEPEST: usize = 128;

impl Directive {
    pub(super) fn whole_event() -> Directive {
        Directive::Path(path::FromPath::whole())
    }

    /// Whether the result is always the whole of what the directive sees.
    pub(super) fn is_whole_event(&self) -> bool {
        matches!(self, Directive::Path(path) if path.is_whole())
    }

    /// The directive `name` with its `argument`, at which the compiler stands.
    pub(super) fn compile(
        name: &str,
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Result<Directive, Refused> {
        Ok(match name {
            "@path" => Directive::Path(path::FromPath::compile(argument, compiler)?),
            "@template" => Directive::Template(template::Template::compile(argument, compiler)?),
            "@literal" => Directive::Literal(compiler.node(argument)?.into()),
            "@if" => Directive::If(condition::If::compile(argument, compiler)?.into()),
            "@case" => Directive::Case(case::Case::compile(argument, compiler)?),
            "@replace" => Directive::Replace(replace::Replace::compile(argument, compiler)?.into()),
            "@arrayPath" => {
                Directive::ArrayPath(array_path::ArrayPath::compile(argument, compiler)?.into())
            }
            "@json" => Directive::Json(json::Json::compile(argument, compiler)?),
            "@flatten" => Directive::Flatten(flatten::Flatten::compile(argument, compiler)?),
            "@merge" => Directive::Merge(merge::Merge::compile(argument, compiler)?),
            "@transform" => {
                Directive::Transform(transform::Transform::compile(argument, compiler)?.into())
            }
            "@excludeWhenNull" => {
                Directive::ExcludeWhenNull(exclude::ExcludeWhenNull::compile(argument, compiler)?)
            }
            "@liquid" => Directive::Liquid(liquid::Liquid::compile(argument, compiler)?.into()),
            _ => {
                return compiler
                    .refuse_with(format!("there is no directive {name}"), Some(meant(name)));
            }
        })
    }

    /// See [`Node::append`].
    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        match self {
            Directive::Path(path) => path.append(scope, out),
            Directive::Template(template) => template.append(scope, out),
            Directive::Literal(node) => node.append(scope, out),
            Directive::If(condition) => condition.append(scope, out),
            Directive::Case(case) => case.append(scope, out),
            Directive::Replace(replace) => replace.append(scope, out),
            Directive::ArrayPath(array_path) => array_path.append(scope, out),
            Directive::Json(json) => json.append(scope, out),
            Directive::Flatten(flatten) => flatten.append(scope, out),
            Directive::Merge(merge) => merge.append(scope, out),
            Directive::Transform(transform) => transform.append(scope, out),
            Directive::ExcludeWhenNull(exclude) => exclude.append(scope, out),
            Directive::Liquid(liquid) => liquid.append(scope, out),
        }
    }
}

fn meant(name: &str) -> String {
    match did_you_mean(&name[1..], NAMES) {
        Some(known) => format!("did you mean @{known}?"),
        None => format!("the directives are @{}", NAMES.join(", @")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::{given, gives, refused};

    #[test]
    fn templates_take_json_where_a_value_is_no_scalar() {
        let event = r#"{"o":{ "a b": [1, "\"" ] },"s":"\"\u00e9","z":null}"#;
        let template = json!({"@template": "<{{o}}|{{{ s }}}|{{z}}|{{x}}|\"{{$.}}"});
        let result = given(&template, event).expect("resolved").expect("present");
        let text: String = serde_json::from_str(&result).expect("a string");
        let whole = r#"{"o":{"a b":[1,"\""]},"s":"\"\u00e9","z":null}"#;
        assert_eq!(text, format!("<{{\"a b\":[1,\"\\\"\"]}}|\"é|||\"{whole}"));
        gives(&json!({"@template": {"@path": "t"}}), r#"{"t":"{{a}}\n","a":"é"}"#, r#""é\n""#);
    }

    #[test]
    fn blank_is_what_says_nothing() {
        let test = json!({"@if": {"blank": {"@path": "a"}, "then": 1, "else": 2}});
        for blank in ["null", r#""""#, "false", "0", "-0.0", "0e5", "[]", r#"[ "" ]"#] {
            gives(&test, &format!(r#"{{"a":{blank}}}"#), "2");
        }
        for other in ["true", "1", r#"" ""#, "{}", "[0]", r#"["",""]"#, "[[]]", r#"["a"]"#] {
            gives(&test, &format!(r#"{{"a":{other}}}"#), "1");
        }
        let both = json!({"@if": {"exists": {"@path": "a"}, "blank": "x", "then": 1, "else": 2}});
        gives(&both, "{}", "2");
    }

    #[test]
    fn texts_are_replaced_literally() {
        let replace = |extra: Value| {
            let mut arguments = json!({"pattern": "É.", "value": {"@path": "a"}});
            let (Some(all), Value::Object(extra)) = (arguments.as_object_mut(), extra) else {
                panic!("objects");
            };
            all.extend(extra);
            json!({"@replace": arguments})
        };
        let event = r#"{"a":"é.É.x"}"#;
        gives(&replace(json!({})), event, r#""é.x""#);
        gives(&replace(json!({"ignorecase": true, "replacement": "$&"})), event, r#""$&$&x""#);
        gives(&replace(json!({"ignorecase": true, "global": false})), event, r#""É.x""#);
        for none in ["{}", r#"{"a":null}"#, r#"{"a":{}}"#, r#"{"a":["É."]}"#] {
            gives(&replace(json!({})), none, r#""""#);
        }
        refused(&replace(json!({"pattern": ""})));
        refused(&replace(json!({"replacement": "12345678901"})));
        refused(&replace(json!({"replacement2": "x"})));
    }

    #[test]
    fn objects_are_put_together_in_first_seen_order_and_the_last_of_equal_keys_counts() {
        let merge = |direction| json!({"@merge": {"direction": direction, "objects": [{"@path": "a"}, {"@path": "b"}]}});
        let event = r#"{"a":{"x":1,"y":1,"\u0078":2},"b":{"z":3,"y":3}}"#;
        gives(&merge("right"), event, r#"{"x":2,"y":3,"z":3}"#);
        gives(&merge("left"), event, r#"{"x":2,"y":1,"z":3}"#);
        gives(&merge("left"), r#"{"a":[1],"b":null}"#, "{}");
        let flatten = json!({"@flatten": {"separator": "_", "value": {"@path": "a"}}});
        gives(
            &flatten,
            r#"{"a":{"b":{"c":1},"d":[{"e":2},3,[]],"b":{"f":{}},"b_c":4,"":{"":5}}}"#,
            r#"{"d_0_e":2,"d_1":3,"b_c":4,"_":5}"#,
        );
        gives(&flatten, r#"{"a":"text"}"#, "{}");
    }

    #[test]
    fn a_result_can_be_mapped_again() {
        let mapping = json!({"@transform": {
            "apply": {"n": {"@path": "a"}, "l": [{"@path": "b"}]},
            "mapping": {"all": {"@path": "$."}, "n": {"@template": "{{n}}!"}, "l": {"@path": "l[0]"}, "a": {"@path": "a"}},
        }});
        gives(
            &mapping,
            r#"{"a":1,"b":{"c":2}}"#,
            r#"{"all":{"n":1,"l":[{"c":2}]},"n":"1!","l":{"c":2}}"#,
        );
        let nothing = json!({"@transform": {"apply": {"@path": "x"}, "mapping": {"@path": "$."}}});
        assert_eq!(given(&nothing, "{}"), Ok(None));
    }

    #[test]
    fn json_comes_and_goes_as_text() {
        let json = |mode| json!({"@json": {"mode": mode, "value": {"@path": "a"}}});
        gives(
            &json("encode"),
            r#"{"a":{ "b": [1.0, "\"x y\""] }}"#,
            r#""{\"b\":[1.0,\"\\\"x y\\\"\"]}""#,
        );
        gives(&json("decode"), r#"{"a":" { \"b\": 1.0 }\n"}"#, r#"{ "b": 1.0 }"#);
        for text in [r#""{} {}""#, r#""[1,]""#, r#""""#, r#""\ud800""#] {
            gives(&json("decode"), &format!("{{\"a\":{text}}}"), text);
        }
    }

    #[test]
    fn depth_is_refused_or_costs_no_stack() {
        let mut deep = json!({"@path": "a"});
        for _ in 0..130 {
            deep = json!([deep]);
        }
        assert_eq!(refused(&deep)[0].message, "nested more than 128 deep");
        let nest = format!("{}1{}", r#"{"b":"#.repeat(200_000), "}".repeat(200_000));
        let event = format!(r#"{{"a":{nest}}}"#);
        let value = json!({"@path": "a"});
        assert!(given(&json!({"@flatten": {"separator": ".", "value": value}}), &event).is_err());
        assert!(given(&json!({"@excludeWhenNull": value}), &event).is_err());
        let encoded = json!({"@json": {"mode": "encode", "value": {"@template": "{{a}}"}}});
        assert!(matches!(given(&encoded, &event), Ok(Some(_))));
        assert_eq!(given(&json!({"@path": {"@template": "a.b.c"}}), &event), Ok(None));
    }
}
