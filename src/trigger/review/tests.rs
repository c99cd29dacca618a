//! What is said of triggers, and what is not.

use super::Review;

/// Every warning about `trigger`: what it marks, what it says, and its hint.
fn warnings(trigger: &str) -> Vec<String> {
    let review = Review::of(trigger);
    let shown = review.warnings.iter().map(|warning| {
        let hint = warning.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
        format!("{} | {}{hint}", &trigger[warning.at.clone()], warning.message)
    });
    shown.collect()
}

#[track_caller]
fn warns(trigger: &str, expected: &[&str]) {
    assert_eq!(warnings(trigger), expected, "{trigger}");
}

#[test]
fn a_field_outside_the_spec_is_warned_of_with_what_was_meant() {
    warns(
        r#"propertis.plan = "pro""#,
        &["propertis.plan | `propertis` is no field of the spec (did you mean `properties.plan`?)"],
    );
    warns(
        "type = track",
        &[r#"track | `track` is no field of the spec (a text needs quotes: "track")"#],
    );
    warns(
        r#"contains(page.url, "x") and plan = "pro""#,
        &[
            "page.url | `page` is no field of the spec (did you mean `context.page.url`?)",
            "plan | `plan` is no field of the spec (did you mean `properties.plan`?)",
        ],
    );
    warns(
        "event.properties.plan != null",
        &[
            "event.properties.plan | `event` is a text in the spec: nothing is inside it (did you mean `properties.plan`?)",
        ],
    );
    warns("properties.track = 1 and _metadata.bundled = null and traits.a = properties.b", &[]);
}

#[test]
fn what_cannot_hold_at_once_is_found() {
    for (trigger, marked, why) in [
        (
            "properties.a = 1 and properties.a = 2",
            "properties.a = 2",
            "`properties.a = 2` contradicts `properties.a = 1`",
        ),
        (
            r#"type = "track" and (event = "x" and type = "page")"#,
            r#"type = "page""#,
            r#"`type = "page"` contradicts `type = "track"`"#,
        ),
        (
            r#"event = "x" and event in ["y", "z"]"#,
            r#"event in ["y", "z"]"#,
            r#"contradicts `event = "x"`"#,
        ),
        (
            r#"event in ["x", "y"] and !(event = "x") and event != "y""#,
            r#"event != "y""#,
            "contradicts",
        ),
        (r#"event != "x" and event = "x""#, r#"event = "x""#, "contradicts"),
        (
            r#"event = "Signed Up" and match(event, "signed*")"#,
            r#"match(event, "signed*")"#,
            "contradicts",
        ),
        (
            r#"event = "a" and (event = "b" or event = "c")"#,
            r#"event = "b" or event = "c""#,
            "contradicts",
        ),
        (
            r#"(event = "a" or event = "b") and !(event in ["b", "a"])"#,
            r#"event in ["b", "a"]"#,
            r#"`!(event in ["b", "a"])` contradicts"#,
        ),
        (
            "properties.a > 5 and properties.a < 3",
            "properties.a < 3",
            "contradicts `properties.a > 5`",
        ),
        ("properties.a >= 5 and 5 > properties.a", "5 > properties.a", "contradicts"),
        ("properties.a = null and properties.a != null", "properties.a != null", "contradicts"),
        ("properties.a = null and properties.a > 0", "properties.a > 0", "contradicts"),
        ("properties.a and properties.a = 1", "properties.a = 1", "contradicts `properties.a`"),
        (
            "properties.a = properties.b and !(properties.a = properties.b)",
            "properties.a = properties.b",
            "`!(properties.a = properties.b)` contradicts",
        ),
        ("(properties.a = 1 and properties.a = 2) or false", "properties.a = 2", "contradicts"),
    ] {
        let said = warnings(trigger);
        let [only] = &said[..] else { panic!("{trigger}: {said:?}") };
        assert!(only.starts_with(&format!("{marked} | this trigger never matches: ")), "{only}");
        assert!(only.contains(why), "{only}");
    }
}

#[test]
fn what_holds_of_no_event_is_found() {
    warns(
        r#"type = "Track""#,
        &[
            r#"type = "Track" | this trigger never matches: no event meets `type = "Track"` (did you mean "track"?)"#,
        ],
    );
    warns(
        r#"type = "purchase" and event = "x""#,
        &[
            r#"type = "purchase" | this trigger never matches: no event meets `type = "purchase"` (the type of an event is identify, track, page, screen, group or alias)"#,
        ],
    );
    warns(
        r#"properties.price < "100""#,
        &[
            r#"properties.price < "100" | this trigger never matches: `<` compares numbers only, and `"100"` is none (without quotes it is a number: 100)"#,
        ],
    );
    warns(
        r#"context.app.version >= "2.10.1""#,
        &[
            r#"context.app.version >= "2.10.1" | this trigger never matches: `>=` compares numbers only, and `"2.10.1"` is none (versions are compared by `semver(context.app.version, ">=", "2.10.1")`)"#,
        ],
    );
    warns(
        r#""type" = "track""#,
        &[
            r#""type" = "track" | this trigger never matches: `"type" = "track"` is false of every event (a field has no quotes: `type`)"#,
        ],
    );
    warns(
        "false",
        &[
            "false | this trigger never matches: `false` is false of every event (`enabled: false` on the action says so too)",
        ],
    );
    warns(
        r#"event in "x""#,
        &[
            r#"event in "x" | this trigger never matches: `in` looks into a list, and `"x"` is none (write `event in ["x"]`)"#,
        ],
    );
    warns(
        r#"lowercase(event) = "Signed Up""#,
        &[
            r#"lowercase(event) = "Signed Up" | this trigger never matches: `lowercase` never gives "Signed Up" (write "signed up")"#,
        ],
    );
    warns(
        r#"typeof(properties.a) = "array""#,
        &[
            r#"typeof(properties.a) = "array" | this trigger never matches: `typeof` never gives "array" (did you mean "list"?)"#,
        ],
    );
    warns(
        r#"length(properties.a) = "3" or contains(event, "x") = "true" or contains(event, 5)"#,
        &[
            r#"length(properties.a) = "3" | this trigger never matches: `length` gives a number or null, never "3" (without quotes it is a number: 3)"#,
        ],
    );
    warns(
        "length(properties.a)",
        &[
            "length(properties.a) | this trigger never matches: `length(properties.a)` is no condition: only the boolean true holds on its own (compare it with something)",
        ],
    );
    warns(
        "event in []",
        &["event in [] | this trigger never matches: nothing is in an empty list"],
    );
}

#[test]
fn a_part_that_never_holds_is_found_beside_parts_that_may() {
    warns(
        r#"type = "track" and (type = "page" or event = "x")"#,
        &[r#"type = "page" | this part never holds: `type = "page"` contradicts `type = "track"`"#],
    );
    warns(
        r#"type = "track" or type = "pages""#,
        &[
            r#"type = "pages" | this part never holds: no event meets `type = "pages"` (did you mean "page"?)"#,
        ],
    );
}

#[test]
fn a_trigger_that_matches_everything_is_found() {
    let hint = "(`true` says so; is `and` meant where `or` stands?)";
    for trigger in [
        r#"type != "track" or type != "page""#,
        "!(properties.a = 1 and properties.a = 2)",
        "1 = 1",
    ] {
        warns(
            trigger,
            &[&format!(
                "{} | this trigger matches every event {hint}",
                trigger.trim_start_matches("!(").trim_end_matches(')')
            )],
        );
    }
    warns("true", &[]);
    warns(r#"type in ["identify", "track", "page", "screen", "group", "alias"]"#, &[]);
}

#[test]
fn a_field_that_the_calls_in_question_do_not_have_is_odd() {
    warns(
        r#"type = "page" and event = "x""#,
        &[
            r#"event = "x" | page calls have no `event` in the spec (track calls have it; the name of a page or screen is `name`)"#,
        ],
    );
    warns(
        r#"properties.plan = "pro" and type = "identify""#,
        &[
            r#"properties.plan = "pro" | identify calls have no `properties` in the spec (track, page and screen calls have it; these calls have `traits`)"#,
        ],
    );
    warns(
        r#"type in ["page", "screen"] and traits.plan != null"#,
        &[
            "traits.plan != null | page and screen calls have no `traits` in the spec (identify and group calls have it; of a person they are in `context.traits`)",
        ],
    );
    warns(
        r#"type = "group" and (name = "x" or groupId = "y")"#,
        &[r#"name = "x" | group calls have no `name` in the spec (page and screen calls have it)"#],
    );
}

#[test]
fn what_may_be_meant_is_left_alone() {
    for trigger in [
        "true",
        r#"type = "track" and (event = "Signed Up" or properties.plan in ['pro', "team"]) and !match(context.page.url, "*/internal/*")"#,
        r#"type != "alias""#,
        r#"type != "track" and type != "page""#,
        r#"type = "page" and event = null"#,
        r#"type = "page" and event != "x""#,
        r#"type = "track" or event = "x""#,
        r#"lowercase(type) = "track" and lowercase(event) = "signed up""#,
        r#"match(type, "t*") and event = "x""#,
        "properties.a = 1 or properties.a = 2",
        "properties.a > 3 and properties.a < 5",
        "properties.a >= 5 and properties.a <= 5",
        "!(properties.a > 5) and !(properties.a < 3) and !(properties.a <= 3) and !(properties.a >= 5)",
        "properties.a = 1 and properties.b = 2",
        "properties.a = 1 and properties != null",
        "properties.a.0 = 1 and 1 in properties.a",
        "properties.a = 1.0 and properties.a = 1",
        "properties.a = properties.b and properties.b = 1 and properties.a = 1",
        r#"properties.a != "x" and properties.a != "y""#,
        r#"contains(properties.url, "a") and !contains(properties.url, "b")"#,
        "number(properties.price) >= 100 and length(properties.items) > 0",
        r#"type = "group" and traits.employees >= 100"#,
        r#"semver(context.app.version, ">=", "2.9")"#,
        r#"number("59.9") = properties.total"#,
        r#"bool(properties.flag) or string(properties.id) = "7""#,
        r#"titlecase(event) = "Signed Up" and uppercase(properties.code) in ["EUR", "usd"]"#,
    ] {
        warns(trigger, &[]);
    }
}

#[test]
fn the_names_of_events_are_found_where_they_stand() {
    let text = r#"type = "track" and ("a" = event or event in ['b', "c"]) and properties.x = "d" and match(event, "e*")"#;
    let review = Review::of(text);
    let names: Vec<_> =
        review.events.iter().map(|event| (&*event.name, &text[event.at.clone()])).collect();
    assert_eq!(names, [("a", r#""a""#), ("b", "'b'"), ("c", r#""c""#)]);
}

#[test]
fn equal_triggers_have_one_normal_form() {
    let form = |text| Review::of(text).normal_form;
    assert_eq!(form("type='a' and((event = 'b'))"), form("type = \"a\"\n  and event = \"b\""));
    assert_ne!(form("type = 'a'"), form("type = 'b'"));
}

/// The review relies on it: a text in some case is in that case for good.
#[test]
fn a_text_in_lower_or_upper_case_stays_as_it_is() {
    for c in '\0'..=char::MAX {
        assert!(c.to_lowercase().all(|lower| lower.to_lowercase().eq([lower])), "{c:?}");
        assert!(c.to_uppercase().all(|upper| upper.to_uppercase().eq([upper])), "{c:?}");
    }
}
