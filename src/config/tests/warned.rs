//! What is accepted with a warning.

use insta::assert_snapshot;

use super::{TRIGGER, accept};
use crate::config::Config;

fn warnings(config: &Config) -> String {
    config.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn a_destination_without_actions() {
    assert_snapshot!(warnings(&accept(
        "  crm:\n",
        "  idle: { shared_secret: '${SECRET}' }\n  empty: { actions: {} }\n  crm:\n"
    )));
}

#[test]
fn a_trigger_that_is_probably_not_meant() {
    let trigger = "trigger: |\n          type = \"track\"\n          and propertis.plan = \"pro\"";
    assert_snapshot!(warnings(&accept(TRIGGER, trigger)));
}

#[test]
fn a_key_of_standard_webhooks_that_is_short() {
    let written = "standard_webhooks: { secret: whsec_c2VjcmV0c2VjcmV0 }\n    actions:";
    assert_snapshot!(warnings(&accept("actions:", written)));
}
