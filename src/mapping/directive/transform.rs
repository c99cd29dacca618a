//! `@transform`: a mapping of what another mapping gives.

use serde_json::Value;

use super::super::Step;
use super::super::node::Resolved;
use super::{Compiler, Node, Refused, Scope, Unresolved};

#[derive(Debug)]
pub(in super::super) struct Transform {
    apply: Node,
    mapping: Node,
}

impl Transform {
    pub(super) fn compile(
        argument: &Value,
        compiler: &mut Compiler<'_>,
    ) -> Result<Transform, Refused> {
        let arguments = compiler.arguments(argument, &["apply", "mapping"])?;
        let apply = arguments.required_node("apply", compiler);
        let mapping = compiler.apart(|compiler| arguments.required_node("mapping", compiler));
        Ok(Transform { apply: apply?, mapping: mapping? })
    }

    pub(super) fn append(&self, scope: Scope<'_>, out: &mut Vec<u8>) -> Result<bool, Unresolved> {
        let applied = self.apply.resolve(scope);
        let applied = applied.map_err(|error| error.inside(Step::Key("@transform".to_owned())))?;
        let applied = applied.as_ref().map(Resolved::value);
        self.mapping.append(applied.map_or(Scope::Nothing, Scope::Value), out)
    }
}
