//! What is counted: the stages of an event's way, and all of it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use hookcast::batch::{Batch, Framing, OpenBatch};
use hookcast::event::{Event, Fields};
use hookcast::plan::{Plan, SignatureScope};
use hookcast::request;
use hookcast::routing::Routes;
use hookcast::signature::{Signer, idempotency_key};

use crate::partition::{Answers, Partition, Written, place, plan, written};

/// A few directives and a template, as an action might have them.
const DATA: &str = r#"        data:
          id: { "@path": $.messageId }
          at: { "@path": $.timestamp }
          order: { "@path": $.properties.order_id }
          locale: { "@case": { operator: lower, value: { "@path": $.context.locale } } }
          total: { "@template": "{{properties.total}} {{properties.currency}}" }
          kind: order
"#;
/// In a batch.
const MANY: usize = 1000;
/// So many events are read in advance for what is done with one that was read.
const READ: usize = 64;

/// Something that is counted.
pub struct Case {
    /// As the file names it.
    pub name: &'static str,
    /// How many events are enough: a multiple of what a request carries, and so many that what
    /// grows now and then has grown.
    pub events: usize,
    /// Does it with so many events, after a start that is the same for any number of them.
    pub run: fn(usize),
}

/// Everything, in the order in which it is shown.
pub const ALL: [Case; 15] = [
    Case { name: "read", events: 2000, run: read },
    Case { name: "route", events: 4000, run: route },
    Case { name: "request, the event as it is", events: 4000, run: request_as_it_is },
    Case { name: "request, five directives", events: 4000, run: request_mapped },
    Case { name: "body of 1000", events: 4000, run: body_of_many },
    Case { name: "body of 1", events: 4000, run: body_of_one },
    Case { name: "signature of 1000", events: 4000, run: signature_of_many },
    Case { name: "signature of 1", events: 2000, run: signature_of_one },
    Case { name: "idempotency key of 1000", events: 20_000, run: key_of_many },
    Case { name: "idempotency key of 1", events: 4000, run: key_of_one },
    Case { name: "pipeline, 1000 per request", events: 8000, run: |n| deliver(n, 1000, "") },
    Case { name: "pipeline, 1000, five directives", events: 8000, run: |n| deliver(n, 1000, DATA) },
    Case { name: "pipeline, 100 per request", events: 4000, run: |n| deliver(n, 100, "") },
    Case { name: "pipeline, 1 per request", events: 8000, run: |n| deliver(n, 1, "") },
    Case { name: "pipeline, 1, an answer a turn", events: 8000, run: deliver_in_single_turns },
];

fn read(events: usize) {
    let (plan, written, mut fields) = (plan(1, ""), written(), Fields::new());
    for turn in 0..events {
        let value = &written[turn % written.len()].value;
        black_box(fields.read(black_box(value), &plan.paths)).expect("an event");
    }
}

/// Does `something` with events that were read before, in turns.
fn with_events(plan: &Plan, events: usize, mut something: impl FnMut(Event<'_>)) {
    let written = written();
    let mut fields: Vec<_> = (0..READ).map(|_| Fields::new()).collect();
    let mut read = Vec::new();
    for (fields, written) in fields.iter_mut().zip(&written) {
        read.push(fields.read(&written.value, &plan.paths).expect("an event"));
    }
    for turn in 0..events {
        something(black_box(read[turn % READ]));
    }
}

fn route(events: usize) {
    let plan = plan(1, "");
    let (mut routes, mut owed) = (Routes::new(&plan, &place().topic), Vec::new());
    with_events(&plan, events, |event| {
        routes.route(&plan, event, &mut owed).expect("the action matches");
        black_box(&owed);
    });
}

fn request_as_it_is(events: usize) {
    request(events, &plan(1, ""));
}

fn request_mapped(events: usize) {
    request(events, &plan(1, DATA));
}

fn request(events: usize, plan: &Plan) {
    let (template, mut room) = (&plan.actions[0].request, Vec::new());
    with_events(plan, events, |event| {
        let resolved = request::resolve(template, &plan.egress, event, &mut room);
        black_box(resolved.expect("the event can be sent"));
    });
}

/// Gathers so many events of `written`, from the first one on.
fn gather(written: &[Written], events: usize, framing: Framing, now: Instant) -> Batch {
    let length = written[0].value.len() + 1;
    let mut batch = OpenBatch::new(framing, events * length + 1, now);
    for (offset, written) in written[..events].iter().enumerate() {
        batch.add(&written.value, &written.record(offset));
    }
    batch.seal()
}

fn batch(events: usize) -> Batch {
    let framing = if events == 1 { Framing::Bare } else { Framing::Array };
    gather(&written(), events, framing, Instant::now())
}

fn body_of_many(events: usize) {
    let (written, now) = (written(), Instant::now());
    for _ in 0..events / MANY {
        black_box(gather(&written, MANY, Framing::Array, now));
    }
}

fn body_of_one(events: usize) {
    let (written, now) = (written(), Instant::now());
    for _ in 0..events {
        black_box(gather(&written, 1, Framing::Bare, now));
    }
}

fn signature_of_many(events: usize) {
    sign(events / MANY, &batch(MANY));
}

fn signature_of_one(events: usize) {
    sign(events, &batch(1));
}

fn sign(times: usize, batch: &Batch) {
    let plan = plan(1, "");
    let secret = plan.actions[0].shared_secret.as_ref().expect("the destination signs");
    let signer = Signer::new(secret);
    for _ in 0..times {
        black_box(signer.sign_batch(black_box(batch), SignatureScope::Body));
    }
}

fn key_of_many(events: usize) {
    key(events / MANY, &batch(MANY));
}

fn key_of_one(events: usize) {
    key(events, &batch(1));
}

fn key(times: usize, batch: &Batch) {
    let place = place();
    for _ in 0..times {
        black_box(idempotency_key("crm", "orders", &place, black_box(batch).entries()));
    }
}

fn deliver(events: usize, events_per_request: usize, more: &str) {
    let plan = plan(events_per_request, more);
    deliver_with(&plan, events, Answers::All);
}

fn deliver_in_single_turns(events: usize) {
    deliver_with(&plan(1, ""), events, Answers::One);
}

fn deliver_with(plan: &Arc<Plan>, events: usize, answers: Answers) {
    Partition::new(plan, answers).deliver(&written(), events);
}
