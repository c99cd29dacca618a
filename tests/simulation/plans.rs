//! The configurations that members of a group may have at a time, while a deployment rolls: with
//! other URLs, or without the last action.

use std::path::Path;
use std::sync::Arc;

use fastrand::Rng;
use hookcast::config::Config;
use hookcast::plan::{ActionId, Plan};

const HEAD: &str = "\
kafka: { bootstrap.servers: 'unused:1', group.id: simulation }
sources: { all: { topics: [log] } }
egress: { allow_private: true }
destinations:
  d:
    shared_secret: secret
    actions:
";

/// See the module's documentation.
pub struct Plans {
    /// With all actions, the second one with other URLs.
    full: [Arc<Plan>; 2],
    /// The texts of their actions.
    actions: [Vec<String>; 2],
}

impl Plans {
    pub fn new(mut random: Rng, actions: usize) -> Self {
        let actions: Vec<_> = (0..actions).map(|action| texts(&mut random, action)).collect();
        let with =
            |urls: usize| actions.iter().map(|texts| texts[urls].clone()).collect::<Vec<_>>();
        let actions = [with(0), with(1)];
        let full = actions.each_ref().map(|actions| Arc::new(parsed(actions)));
        Self { full, actions }
    }

    pub fn full(&self, urls: usize) -> Arc<Plan> {
        Arc::clone(&self.full[urls])
    }

    /// That of a member that does not know the last action. There is none where it is the only one.
    pub fn without_last(&self, urls: usize) -> Option<Arc<Plan>> {
        let (_, others) = self.actions[urls].split_last()?;
        (!others.is_empty()).then(|| Arc::new(parsed(others)))
    }

    pub fn name(action: ActionId) -> String {
        format!("action{}", action.0)
    }

    /// Whether an action's URL is another one, and none that keeps its place.
    pub fn differ(&self, action: ActionId, urls: [usize; 2]) -> bool {
        let [one, other] =
            urls.map(|urls| self.full[urls].actions[action.0].request.target.fingerprint());
        one != other
    }

    pub fn may_be_mapped(&self, action: ActionId) -> bool {
        [0, 1].iter().any(|urls| self.is_mapped(action, *urls))
    }

    pub fn is_mapped(&self, action: ActionId, urls: usize) -> bool {
        self.full[urls].actions[action.0].request.target.fingerprint().is_some()
    }
}

fn parsed(actions: &[String]) -> Plan {
    let yaml = format!("{HEAD}{}", actions.concat());
    let variable = |name: &str| std::env::var(name);
    let config = Config::parse("simulation.yaml", &yaml, Path::new(""), &variable);
    config.unwrap_or_else(|errors| panic!("{errors}\n{yaml}")).plan
}

/// An action, and the same one with another URL, or not.
fn texts(random: &mut Rng, action: usize) -> [String; 2] {
    let batch = match random.u8(0..3) {
        0 => "false".to_owned(),
        1 => "true".to_owned(),
        _ => format!(
            "{{ max_events: {}, max_bytes: {}B, max_delay: {}ms }}",
            random.usize(1..10),
            random.usize(1..2000),
            random.usize(0..500)
        ),
    };
    let data = match random.u8(0..3) {
        0 => "{ '@path': data }",
        1 => "{ offset: { '@path': offset }, text: constant }",
        _ => "{ '@path': '$.' }",
    };
    let order = if random.u8(0..4) == 0 { "none" } else { "key" };
    let concurrency = random.usize(1..6);
    let minutes = random.usize(1..10);
    let rejections = random.choice([0, 1, 3, 1000]).expect("there is a choice");
    let first = url(random, 1);
    let second = if random.bool() { first.clone() } else { url(random, 2) };
    let name = Plans::name(ActionId(action));
    [first, second].map(|url| {
        format!(
            "      {name}:\n        trigger: a{action} = true\n        url: {url}\n        data: \
             {data}\n        batch: {batch}\n        delivery: {{ order: {order}, concurrency: \
             {concurrency}, retry: {{ give_up_after: {minutes}m }}, reject_limit: {rejections} }}\n"
        )
    })
}

/// A constant URL, or a mapped one; each number makes others.
fn url(random: &mut Rng, number: usize) -> String {
    if random.bool() {
        format!("http://127.0.0.1:{number}/")
    } else {
        format!("{{ '@template': 'http://{{{{host}}}}.localhost:{number}/' }}")
    }
}
