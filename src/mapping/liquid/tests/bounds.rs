//! What a template may cost, whatever it says of whatever event.

use super::super::*;
use super::{EVENT, render};

#[test]
fn what_would_have_no_end_is_ended() {
    let too_much =
        "more work than a template may do: a loop has too many rounds, or a text grows without end";
    for template in [
        "{% for i in (1..1000000000) %}{% endfor %}",
        "{% for i in (-9223372036854775808..9223372036854775807) %}x{% endfor %}",
        "{% for a in (1..999) %}{% for b in (1..999) %}{% for c in (1..999) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}",
        "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..99) %}{% assign a = a | replace: 'x', a %}{% endfor %}",
        "{% assign a = 'a b' %}{% for i in (1..99) %}{% assign a = a | split: '' | join: a %}{% endfor %}",
        "{% assign a = (1..99) %}{% for i in (1..99) %}{% assign a = a | concat: a %}{% endfor %}",
        "{% assign a = '<' %}{% for i in (1..99) %}{% assign a = a | append: a | escape %}{% endfor %}",
        "{{ (1..1000000000) | size }}",
        "{% assign a = (1..9999) %}{% for i in a %}{% if a contains 'x' %}{% endif %}{% endfor %}",
        "{% assign a = (1..9999) %}{% for i in a %}{{ a | sort | uniq | size }}{% endfor %}",
        "{% assign a = (1..9999) | json %}{% for i in (1..9999) %}{% if a == a %}{% endif %}{% endfor %}",
        "{% for i in (1..100000) %}{{ nested | json | upcase | size }}{% endfor %}",
    ] {
        let error = render(template, EVENT).expect_err(template);
        assert!(error.ends_with(too_much), "{template}: {error}");
    }
    for template in [
        "{% for i in (1..9999) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}",
        "{% capture a %}aaaaaaaaaa{% endcapture %}{% for i in (1..99) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}",
    ] {
        let error = render(template, EVENT).expect_err(template);
        assert_eq!(error, "the result has more than 1048576 bytes", "{template}");
    }
    let most = format!("{{{{ a }}}}{}", "x".repeat(24));
    let event = format!(r#"{{"a":"{}"}}"#, "x".repeat(LARGEST - 24));
    assert_eq!(render(&most, &event).expect("as much as there may be").len(), LARGEST);
    assert!(render(&(most + "x"), &event).is_err());
}

#[test]
fn depth_costs_no_stack() {
    let deep = format!("{}1{}", r#"{"b":["#.repeat(80_000), "]}".repeat(80_000));
    let event = format!(r#"{{"a":{deep}}}"#);
    for template in
        ["{{ a | json | size }}", "{{ a.b[0].b | size }}", "{% if a == a %}x{% endif %}"]
    {
        assert!(render(template, &event).is_ok(), "{template}");
    }
    assert!(render("{{ a }}", &event).is_ok());
    for (open, close) in
        [("{%if x%}", ""), ("{%for x in x%}", ""), ("{%if x%}", "{%endif%}"), ("{%comment%}", "")]
    {
        let depth = LONGEST / (open.len() + close.len());
        let _ = Template::parse(&(open.repeat(depth) + &close.repeat(depth)));
    }
    let brackets = format!("{{{{ a{}{} }}}}", "[a".repeat(300), "]".repeat(300));
    assert_eq!(render(&brackets, EVENT).as_deref(), Ok(""));
}
