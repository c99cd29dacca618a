//! The directives by name: one file each, one line in each of the tables here.

mod array_path;
mod case;
mod condition;
mod exclude;
mod flatten;
mod json;
mod merge;
mod path;
mod replace;
mod template;
mod transform;

use serde_json::Value;

use super::Unresolved;
use super::compile::Compiler;
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

    /// The directive `name` with its `argument`, at which the compiler stands. Nothing: what is
    /// wrong was noted.
    pub(super) fn compile(
        name: &str,
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Option<Directive> {
        Some(match name {
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
            "@liquid" => return compiler.refuse("@liquid is not supported yet"),
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
        }
    }
}

fn meant(name: &str) -> String {
    let same = |known: &&&str| name[1..].eq_ignore_ascii_case(known);
    match NAMES.iter().find(same) {
        Some(known) => format!("is @{known} meant?"),
        None => format!("the directives are @{}", NAMES.join(", @")),
    }
}
