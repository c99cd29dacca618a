//! Errors as users meet them, one snapshot for each kind: every slip with its line, its caret and
//! its hint, in every way that YAML writes a text.

use insta::assert_snapshot;

use super::{SMALLEST, TRIGGER, URL, edited, parse, refuse, refuse_more, with};

/// What is said of each trigger, on a line of its own behind what it is said about.
fn of_triggers(triggers: &[&str]) -> String {
    let (before, _) = SMALLEST.split_once("      signups:").expect("it has an action");
    let actions = triggers.iter().enumerate().flat_map(|(index, trigger)| {
        [
            format!("      a{index}:\n        trigger: |\n          {trigger}\n"),
            "        url: https://example.com\n".to_owned(),
        ]
    });
    let text = format!("{before}{}", actions.collect::<String>());
    let errors = parse(&text).expect_err("every trigger is wrong");
    assert_eq!(errors.0.len(), triggers.len(), "{errors}");
    errors.to_string()
}

/// What is said of each of these in the place of the URL's line.
fn of_lines(lines: &[&str]) -> String {
    lines.iter().map(|line| refuse(URL, line)).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn comparisons_of_other_languages() {
    assert_snapshot!(of_triggers(&[
        r#"type == "track""#,
        r#"type === "track""#,
        r#"event <> "x""#,
        "properties.total => 5",
        r#"event is "x""#,
        "event is not null",
        r#"event equals "x""#,
        r#"event like "x%""#,
        r#"event contains "x""#,
        r#"event not in ["a"]"#,
        "properties.price between 1 and 5",
        r#"event =~ "x.*""#,
        r#"event ! = "x""#,
        r#"event: "x""#,
        "a = 1 = 1",
        "properties.a >= > 5",
        r#"= "track""#,
        r#"(event) = "x""#,
    ]));
}

#[test]
fn words_between_conditions() {
    assert_snapshot!(of_triggers(&[
        r#"type = "track" AND event = "x""#,
        r#"type = "track" OR event = "x""#,
        r#"NOT type = "track""#,
        r#"type = "track" and not(event = "x")"#,
        r#"type = "track" && event = "x""#,
        r#"type = "track" || event = "x""#,
        r#"type = "track" & event = "x""#,
        r#"type = "track"; event = "x""#,
        r#"type = "track" and"#,
        r#"type = "track" or and event = "x""#,
        r#"if type = "track""#,
        r#"event = "x" # the first"#,
    ]));
}

#[test]
fn quotes_that_are_missing_or_wrong() {
    assert_snapshot!(of_triggers(&[
        "event = “Signed Up”",
        "event = \"Signed Up",
        "event = Signed Up\"",
        "event = Signed Up",
        r#"event = "Signed Up' and type = "track""#,
        "event = 'it's'",
        r#"type "track""#,
        r#"match(event, "a\")"#,
        "event = `x`",
        "context.ip = 10.0.0.1",
        r#"event in ["a", b]"#,
    ]));
}

#[test]
fn functions_and_their_arguments() {
    assert_snapshot!(of_triggers(&[
        r#"startsWith(event, "x")"#,
        "exists(properties.plan)",
        r#"strartswith(event, "x")"#,
        r#"mtach(event, "x*")"#,
        r#"lower(event) = "x""#,
        "frobnicate(event)",
        "contains(event)",
        r#"contains(event "x")"#,
        r#"contains(event, "a", "b")"#,
        "length() = 0",
        r#"match(event, "a[")"#,
        r#"match(event, "[z-a]")"#,
        r#"semver(context.app.version, >=, "2")"#,
        r#"semver(context.app.version, "=>", "2")"#,
        r#"typeof event = "string""#,
    ]));
}

#[test]
fn numbers_lists_paths_and_parentheses() {
    assert_snapshot!(of_triggers(&[
        "properties.a = 1.",
        "properties.a = .5",
        "properties.a = +5",
        "properties.a = 007",
        "properties.a = 1,000",
        r#"event in ["a", "b",]"#,
        r#"event in ("a", "b")"#,
        r#"event in "a", "b""#,
        r#"event = ("a" or "b")"#,
        r#"event in ["a", "b""#,
        r#"(type = "track" and (event = "x" or event = "y")"#,
        r#"type = "track" and (event = "x"))"#,
        "()",
        r#"properties["product 1"] = "pro""#,
        r#"properties.items[0].sku = "a""#,
        r#"properties.first name = "x""#,
        r#"properties.$plan = "x""#,
        r#"properties..plan = "x""#,
        r#"$.type = "track""#,
        r#"{{type}} = "track""#,
    ]));
}

#[test]
fn a_trigger_without_end() {
    let list = vec!["\"a name of an event\""; 300].join(", ");
    assert_snapshot!(
        "a_trigger_that_is_too_long",
        refuse(TRIGGER, &format!("trigger: event in [{list}]"))
    );
    let deep = format!("trigger: \"{}true{}\"", "(".repeat(65), ")".repeat(65));
    assert_snapshot!("a_trigger_that_is_too_deep", refuse(TRIGGER, &deep));
    assert_snapshot!("a_trigger_that_is_empty", refuse(TRIGGER, "trigger: ''"));
}

#[test]
fn the_same_slip_in_every_way_of_writing_it() {
    let ways = [
        ("plain", "trigger: type = \"track\" and\n          event == \"x\""),
        ("single_quotes", "trigger: 'type = ''track'' and event == ''x'''"),
        ("double_quotes", r#"trigger: "type = \"tr\u0061ck\"\tand\n event\x20== \"x\"""#),
        (
            "double_quotes_over_lines",
            "trigger: \"type = \\\"track\\\" \\\n          and event\n          == 'x'\"",
        ),
        ("literal", "trigger: |-\n          type = \"track\"\n\n          \t  and event == \"x\""),
        (
            "literal_with_indentation",
            "trigger: |2\n            type = \"track\"\n           and event == \"x\"",
        ),
        (
            "folded",
            "trigger: >-\n          type = \"track\"\n          and\n\n            event\n          == \"x\"",
        ),
        ("wide_characters", "trigger: event = \"日本語 ﾊﾝ é🎉\" and event == \"x\""),
        ("tabs", "trigger: type\t=\t\"track\"\tand\tevent\t==\t\"x\""),
        (
            "reference",
            "trigger: type = \"track\" and event = \"${UNSET:-a long default}\" and event == \"x\"",
        ),
    ];
    for (name, trigger) in ways {
        assert_snapshot!(format!("slip_in_{name}"), refuse(TRIGGER, trigger));
    }
    let flow = edited(TRIGGER, "trigger: x")
        .replace("signups:\n        trigger: x\n", "signups: { trigger: 'event == ''x''', ");
    let flow = flow.replace(
        "        url: https://crm.example.com/hooks/signup",
        "url: 'https://example.com' }",
    );
    assert_snapshot!("slip_in_a_flow_mapping", parse(&flow).unwrap_err());
    let windows =
        edited(TRIGGER, "trigger: >\n          type = \"track\"\n\n          and event == \"x\"");
    assert_snapshot!(
        "slip_in_a_file_from_windows",
        parse(&windows.replace('\n', "\r\n")).unwrap_err()
    );
    let long = format!(
        "trigger: event in [{}] and type == \"track\" or event in [{}]",
        vec!["\"日本\""; 40].join(", "),
        vec!["\"b\""; 60].join(", ")
    );
    assert_snapshot!("slip_in_a_long_line", refuse(TRIGGER, &long));
}

#[test]
fn mappings() {
    assert_snapshot!(refuse(
        URL,
        &with(
            "data:
          a: { \"@pth\": \"$.userId\" }
          b: { \"@path\": \"$.userId\", other: 1 }
          c: { \"@path\": 5 }
          d: { \"@case\": { operator: upcase, value: x } }
          e: { \"@replace\": { patern: a, value: x } }
          f: [{ \"@if\": { exists: null, then: 1 } }]
          g: { \"@arrayPath\": $.properties.items }
          h: { \"@merge\": { objects: [5], direction: up } }
          i: { \"@flatten\": { separator: '', value: { \"@path\": $.traits } } }
          j: { \"@json\": encode }
          k: { \"@Template\": '{{userId}}' }"
        )
    ));
    assert_snapshot!(
        "a_directive_without_quotes",
        refuse(URL, &with("data: { user: { @path: $.userId } }"))
    );
    assert_snapshot!("a_template_without_quotes", refuse(URL, &with("data: { user: {{userId}} }")));
}

#[test]
fn yaml() {
    assert_snapshot!(
        "yaml_a_colon_in_a_plain_text",
        refuse(TRIGGER, "trigger: event = \"Order: Completed\"")
    );
    assert_snapshot!(
        "yaml_a_quote_that_begins_a_trigger",
        refuse(TRIGGER, "trigger: \"track\" = type")
    );
    assert_snapshot!("yaml_a_negated_field", refuse(TRIGGER, "trigger: !properties.beta"));
    assert_snapshot!(
        "yaml_an_exclamation_mark",
        refuse(TRIGGER, "trigger: !contains(event, \"x\")")
    );
    assert_snapshot!(
        "yaml_a_bracket_that_begins_a_trigger",
        refuse(TRIGGER, "trigger: [\"a\"] = properties.tags")
    );
    assert_snapshot!("yaml_a_quote_that_is_not_closed", refuse(TRIGGER, "trigger: 'event = \"x\""));
    assert_snapshot!("yaml_wrong_indentation", refuse(URL, &format!("{URL}\n       method: PUT")));
    assert_snapshot!("yaml_a_missing_colon", refuse(URL, &with("batch true")));
    assert_snapshot!("yaml_a_missing_blank", refuse(URL, &with("batch:true")));
    assert_snapshot!("yaml_an_escape_that_is_none", refuse(URL, "url: \"https://example.com\\d\""));
    assert_snapshot!("yaml_an_unknown_alias", refuse(URL, &with("headers: *common")));
    assert_snapshot!("yaml_brackets_between_braces", refuse(URL, "data: { a: b in [\"c\"] }"));
    assert_snapshot!(
        "yaml_a_missing_colon_above",
        refuse("    actions:", "    paused true\n    actions:")
    );
    assert_snapshot!("yaml_a_percent_sign", refuse(URL, &with("headers: { X-Share: %5 }")));
}

#[test]
fn sections_of_the_wrong_form() {
    assert_snapshot!(refuse("{ topics: [events.web] }", "events.web"));
    let list = "destinations:\n  - name: crm\n    actions: []\nextra:\n  crm:\n";
    assert_snapshot!("a_list_where_names_should_be", refuse("destinations:\n  crm:\n", list));
}

#[test]
fn urls_and_headers() {
    assert_snapshot!(
        "urls_that_are_none",
        of_lines(&[
            "url: crm.example.com/hooks",
            "url: crm.example.com:8080/hooks",
            "url: htps://crm.example.com",
            "url: http//crm.example.com",
            "url: https://crm.example.com:port/",
            "url: https://crm example.com/",
            "url: https://[::1/",
            "url: https://{{tenant}}.example.com/",
            "url: \"\"",
            "url: 5",
            "url: http://169.254.169.254/latest",
        ])
    );
    assert_snapshot!("headers_that_are_none", refuse(URL, &with("headers: [Authorization]")));
    assert_snapshot!(
        "headers_with_an_object",
        refuse(URL, &with("headers: { X-Tenant: { path: $.userId } }"))
    );
}

#[test]
fn durations_sizes_and_numbers() {
    let lines = ["10", "1d", "1h30m", "-1s", "10S", "10sec", "500us", "2h", "~", "[1s]"];
    let said: Vec<_> =
        lines.iter().map(|line| refuse_more(&format!("delivery: {{ timeout: {line} }}"))).collect();
    assert_snapshot!("durations_that_are_none", said.join("\n\n"));
    let lines = ["64M", "64mib", "64Mb", "2TB", "-1", "lots"];
    let said: Vec<_> = lines
        .iter()
        .map(|line| refuse_more(&format!("limits: {{ buffered_bytes: {line} }}")))
        .collect();
    assert_snapshot!("sizes_that_are_none", said.join("\n\n"));
    let lines = ["1e2", "0x10", "1_000", "sixty-four", "64.0", "100000", "true"];
    let said: Vec<_> = lines
        .iter()
        .map(|line| refuse_more(&format!("delivery: {{ concurrency: {line} }}")))
        .collect();
    assert_snapshot!("whole_numbers_that_are_none", said.join("\n\n"));
}

#[test]
fn references() {
    assert_snapshot!(
        "references_that_are_none",
        of_lines(&[
            "url: https://example.com/${NOWHERE}",
            "url: https://example.com/${}",
            "url: https://example.com/${A-B}",
            "url: https://example.com/${env:A}",
            "url: https://example.com/${A:-${B}}",
            "url: https://example.com/${file:nowhere.txt}",
            "url: https://example.com/${OPEN",
        ])
    );
}
