//! Templates as users write them, and as nobody should.

mod bounds;

use super::*;
use crate::event::{Fields, Path, Paths};

const EVENT: &str = r#"{
    "type": "track", "userId": "u7", "empty_text": "", "spaces": " \n", "zero": 0, "no": false,
    "nothing": null, "big": 9007199254740993, "price": 1.50, "huge": 12345678901234567890.5,
    "html": "<p class='x'>Tom &amp; \"Ann\"</p>",
    "properties": {
        "plan": "Pro", "total": "59.90", "tags": ["new", "eu"], "none": [], "object": {},
        "a b": {"c.d": 1}, "ключ": "ü", "size": "XL",
        "items": [
            {"sku": "B2", "qty": 1, "price": 10.50, "gift": true, "by": {"name": "Ann"}},
            {"sku": "a1", "qty": 12, "price": 2, "gift": false, "by": {"name": "Bob"}},
            {"sku": "C3", "qty": 2, "price": 0.1, "gift": true}
        ]
    },
    "timestamp": "2026-03-01T12:00:00.123Z",
    "twice": {"a": 1, "b": 2, "a": 3},
    "nested": [1, [2, ["x", null, {"y": [3, "\u0022"]}]], true]
}"#;

fn render(template: &str, event: &str) -> Result<String, String> {
    let template = Template::parse(template)
        .map_err(|error| format!("{}: {} ({:?})", error.at, error.message, error.hint))?;
    let mut paths = Paths::new();
    let reads = template.reads().iter().map(|keys| paths.intern(Path::new(keys.iter().cloned())));
    let reads: Vec<_> = reads.collect();
    let mut fields = Fields::new();
    let event = fields.read(event.as_bytes(), &paths).expect("a valid event");
    template.render(&|read| event.find(reads[read])).map_err(|error| error.to_string())
}

fn says(cases: &[(&str, &str)]) {
    for (template, expected) in cases {
        assert_eq!(render(template, EVENT).as_deref(), Ok(*expected), "{template}");
    }
}

#[test]
fn values_are_printed_as_they_were_written() {
    says(&[
        ("", ""),
        ("Hello, {{ userId }}!", "Hello, u7!"),
        ("{{big}} {{ price }} {{huge}}", "9007199254740993 1.50 12345678901234567890.5"),
        ("{{ no }}|{{ nothing }}|{{ nobody }}|{{ nobody.at.all }}|{{ userId.x }}", "false||||"),
        ("{{ properties.tags }}", "neweu"),
        ("{{ nested }}", "12x{\"y\":[3,\"\\u0022\"]}true"),
        (
            "{{ properties.items[1] }}",
            r#"{"sku":"a1","qty":12,"price":2,"gift":false,"by":{"name":"Bob"}}"#,
        ),
        ("{{ html }}", r#"<p class='x'>Tom &amp; "Ann"</p>"#),
        ("{{ 'it is' }}{{ \"it's\" }}{{ 1.0 }}{{ true }}{{ nil }}{{ empty }}", "it isit's1.0true"),
        ("{% assign p = price %}{{ p }} {{ price | default: 1 }}", "1.50 1.50"),
    ]);
}

#[test]
fn ways_lead_into_lists_and_objects() {
    says(&[
        ("{{ properties.items[0].sku }}{{ properties.items[-1].sku }}", "B2C3"),
        ("{{ properties['a b']['c.d'] }}{{ [\"properties\"].plan }}", "1Pro"),
        ("{{ properties.ключ }}{{ properties[\"ключ\"] }}", "üü"),
        (
            "{{ properties.items.size }} {{ properties.items.first.sku }} {{ properties.items.last.qty }}",
            "3 B2 2",
        ),
        ("{{ properties.size }} {{ properties.object.size }} {{ properties.plan.size }}", "XL 0 3"),
        ("{% assign k = 'plan' %}{{ properties[k] }} {{ properties[nobody] }}", "Pro "),
        ("{% assign i = 1 %}{{ properties.items[i].sku }}{{ properties.tags[9] }}", "a1"),
        (
            "{{ twice.a }}{% for p in twice %}|{{ p[0] }}={{ p[1] }}{% endfor %}|{{ twice.size }}",
            "3|a=3|b=2|2",
        ),
        ("{{ userId.length }}{{ userId[0] }}{{ properties.tags.length }}", ""),
    ]);
}

#[test]
fn conditions_hold_as_in_liquid_everywhere() {
    let holds = |condition: &str| {
        let template = format!("{{% if {condition} %}}yes{{% else %}}no{{% endif %}}");
        render(&template, EVENT).as_deref() == Ok("yes")
    };
    for condition in [
        "userId",
        "zero",
        "empty_text",
        "properties.none",
        "big == 9007199254740993",
        "price == 1.5",
        "price < 2 and zero >= 0",
        "userId != 'u8'",
        "nobody == nil",
        "nothing == null",
        "empty_text == empty",
        "properties.none == empty",
        "properties.object == empty",
        "spaces == blank",
        "nobody == blank",
        "no == blank",
        "no == false",
        "userId <> nil",
        "properties.tags contains 'eu'",
        "userId contains '7'",
        "properties contains 'plan'",
        "properties.total > 9",
        "'b' > 'a'",
        "true or false and false",
        "no or userId and true",
        "(1..3) contains 2",
        "properties.tags == properties.tags",
    ] {
        assert!(holds(condition), "{condition}");
    }
    for condition in [
        "nobody",
        "nothing",
        "no",
        "big == 9007199254740992",
        "price == '1.5'",
        "nobody == false",
        "nobody > 0",
        "nobody < 0",
        "userId > 0",
        "userId == true",
        "nothing == ''",
        "zero == nil",
        "nobody contains 'x'",
        "userId contains nobody",
        "properties.tags contains 'e'",
        "zero == blank",
        "nobody == empty",
        "nobody.x.y != nil",
        "false and true or true",
        "properties.tags > 1",
    ] {
        assert!(!holds(condition), "{condition}");
    }
    says(&[
        ("{% unless no %}a{% else %}b{% endunless %}", "a"),
        ("{% if no %}a{% elsif zero == 0 %}b{% elsif true %}c{% else %}d{% endif %}", "b"),
        (
            "{% case properties.plan %} x {% when 'Basic', 'Pro' %}a{% when 'y' %}b{% else %}c{% endcase %}",
            "a",
        ),
        ("{% case nobody %}{% when 'Basic' or 'Pro' %}a{% else %}c{% endcase %}", "c"),
    ]);
}

#[test]
fn loops_go_through_what_there_is() {
    says(&[
        (
            "{% for i in properties.items %}{{ i.sku }}:{{ i.by.name }}{% unless forloop.last %}, {% endunless %}{% endfor %}",
            "B2:Ann, a1:Bob, C3:",
        ),
        ("{% for i in properties.items limit: 1 offset: 1 %}{{ i.sku }}{% endfor %}", "a1"),
        (
            "{% for i in (1..3) reversed %}{{ i }}{{ forloop.index }}{{ forloop.rindex0 }} {% endfor %}",
            "312 221 130 ",
        ),
        (
            "{% for i in nobody %}x{% else %}none{% endfor %}{% for i in properties.none %}x{% endfor %}",
            "none",
        ),
        (
            "{% for i in (1..9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
            "13",
        ),
        (
            "{% for a in (1..2) %}{% for b in (1..2) %}{{ forloop.parentloop.index }}{{ b }} {% endfor %}{% endfor %}{{ a }}",
            "11 12 21 22 ",
        ),
        (
            "{% for x in userId %}{{ x }}{% endfor %}{% for x in empty_text %}x{% endfor %}{% for x in (3..1) %}x{% endfor %}",
            "u7",
        ),
        (
            "{% for i in (1..4) %}{% cycle 'a', 'b' %}{% cycle 'g': 1, 2, 3 %}{% endfor %}",
            "a1b2a3b1",
        ),
        ("{% increment n %}{% increment n %}{% decrement m %}{% decrement m %}", "01-1-2"),
        ("{% for i in (1..2) %}{% assign last = i %}{% endfor %}{{ last }}{{ i }}", "2"),
        ("{% capture c %}<{{ userId }}>{% endcapture %}{{ c }}{{ c | size }}", "<u7>4"),
        ("{% echo userId | upcase %}{%- # a remark -%} x", "U7x"),
    ]);
}

#[test]
fn filters_do_what_the_manual_says() {
    says(&[
        ("{{ userId | upcase | downcase | capitalize }}{{ 'éA bC' | capitalize }}", "U7Éa bc"),
        (
            "{{ nobody | upcase }}{{ nobody | size }}{{ nobody | times: 2 }}{{ nobody | split: ',' | join: '-' }}",
            "00",
        ),
        (
            "{{ nobody | default: 'd' }}{{ empty_text | default: 'd' }}{{ no | default: 'd' }}{{ zero | default: 'd' }}{{ properties.none | default: 'd' }}",
            "ddd0d",
        ),
        (
            "{{ no | default: 'd', allow_false: true }}{{ nobody | default: properties.plan }}",
            "falsePro",
        ),
        (
            "{{ properties.total | times: 2 }} {{ price | plus: 0.1 }} {{ big | minus: 1 }}",
            "119.8 1.6 9007199254740992",
        ),
        (
            "{{ 7 | divided_by: 2 }} {{ 7.0 | divided_by: 2 }} {{ -7 | modulo: 3 }} {{ 'x' | plus: 1 }}",
            "3 3.5 2 1",
        ),
        (
            "{{ 1.25 | round: 1 }} {{ 1.5 | round }} {{ 1.2 | ceil }} {{ -1.2 | floor }} {{ -3.5 | abs }} {{ '1.9' | to_integer }}",
            "1.3 2 2 -2 3.5 1",
        ),
        (
            "{{ 4 | at_least: 5 }} {{ 4 | at_most: 3 }} {{ properties.items | sum: 'price' }} {{ nobody | sum }}",
            "5 3 12.6 0",
        ),
        (
            "{{ 'a,b,,' | split: ',' | size }}{{ 'abc' | split: '' | join }}{{ 'a b' | split: ' ' | last }}",
            "2a b cb",
        ),
        (
            "{{ properties.items | map: 'sku' | join: ', ' }} {{ properties.items | map: 'by.name' | compact | join }}",
            "B2, a1, C3 Ann Bob",
        ),
        (
            "{{ properties.items | where: 'gift' | map: 'sku' }} {{ properties.items | where: 'qty', 12 | map: 'sku' }}",
            "B2C3 a1",
        ),
        (
            "{{ properties.items | sort: 'qty' | map: 'sku' }} {{ properties.items | map: 'sku' | sort_natural }} {{ properties.items | map: 'sku' | sort }}",
            "B2C3a1 a1B2C3 B2C3a1",
        ),
        (
            "{{ properties.tags | reverse | first }}{{ properties.tags | concat: properties.tags | uniq | size }}",
            "eu2",
        ),
        (
            "{{ 'Hello' | slice: 1 }}{{ 'Hello' | slice: -3, 2 }}{{ 'Hello' | slice: 9 }}{{ properties.tags | slice: 1, 5 }}",
            "elleu",
        ),
        (
            "{{ 'one two three' | truncatewords: 2 }}|{{ 'Hello world' | truncate: 8 }}|{{ 'abc' | truncate: 2, '' }}|{{ 'abc' | truncate: 1 }}",
            "one two...|Hello...|ab|...",
        ),
        (
            "{{ 'aXbX' | replace: 'X', '-' }}{{ 'aXbX' | replace_first: 'X', '' }}{{ 'aXbX' | remove_last: 'X' }}{{ 'aXb' | remove: 'X' }}",
            "a-b-abXaXbab",
        ),
        (
            "{{ ' a ' | lstrip }}|{{ ' a ' | rstrip }}|{{ ' a ' | strip }}|{{ 'b' | prepend: 'a' | append: 'c' }}",
            "a | a|a|abc",
        ),
        (
            "{{ html | strip_html }}|{{ '<b>' | escape }}|{{ '&lt;&' | escape_once }}",
            "Tom &amp; \"Ann\"|&lt;b&gt;|&lt;&amp;",
        ),
        ("{{ 'a b&ü' | url_encode }} {{ 'a+b%26%C3%BC%' | url_decode }}", "a+b%26%C3%BC a b&ü%"),
        (
            "{{ 'user:püß' | base64_encode }} {{ 'dXNlcjpww7zDnw==' | base64_decode }} {{ 'a' | base64_encode }}",
            "dXNlcjpww7zDnw== user:püß YQ==",
        ),
        (
            "{{ timestamp | date: '%Y-%m-%d %H:%M:%S.%L' }} {{ 0 | date: '%F' }} {{ 'soon' | date: '%F' }}{{ nobody | date: '%F' }}",
            "2026-03-01 12:00:00.123 1970-01-01 soon",
        ),
    ]);
}

#[test]
fn json_keeps_order_and_digits_through_every_filter() {
    let item = r#"{"sku":"B2","qty":1,"price":10.50,"gift":true,"by":{"name":"Ann"}}"#;
    says(&[
        ("{{ properties.items[0] | json }}", item),
        ("{{ properties.items | where: 'sku', 'B2' | json }}", &format!("[{item}]")),
        ("{% assign i = properties.items | first %}{{ i | json }}", item),
        (
            "{{ price | json }}{{ nobody | json }}{{ html | json }}{{ huge | json }}",
            r#"1.50null"<p class='x'>Tom &amp; \"Ann\"</p>"12345678901234567890.5"#,
        ),
        (
            "{{ 'a,b' | split: ',' | json }}{{ nested | json }}",
            r#"["a","b"][1,[2,["x",null,{"y":[3,"\u0022"]}]],true]"#,
        ),
    ]);
}

#[test]
fn what_cannot_be_rendered_says_why() {
    for (template, error) in [
        ("{{ 1 | divided_by: zero }}", "divided_by: a division by zero"),
        ("{{ 1 | modulo: nobody }}", "modulo: a division by zero"),
        ("{{ userId | base64_decode | upcase }}", ""),
        ("{{ '!' | base64_decode }}", "base64_decode: the text is no Base64"),
    ] {
        match render(template, EVENT) {
            Ok(_) => assert_eq!(error, "", "{template}"),
            Err(found) => assert_eq!(found, error, "{template}"),
        }
    }
}

#[test]
fn what_is_no_template_is_refused_at_its_place() {
    for (template, expected) in [
        ("ab {{ userId", "3: this {{ has no }} (None)"),
        ("{{ x | upcas }}", "7: there is no filter upcas (Some(\"is upcase meant?\"))"),
        ("{{ x | append }}", "7: append takes one argument, found 0 (None)"),
        ("{{ x | upcase: 1 }}", "7: upcase takes no arguments, found 1 (None)"),
        ("{{ x | append: y: 1 }}", "15: append knows no argument y (None)"),
        ("{{ }}", "3: expected a value, found its end (None)"),
        ("{{ x y }}", "5: expected \"|\", found y (None)"),
        ("{{ x. }}", "6: expected a key, found its end (None)"),
        ("{{ x | }}", "7: expected the name of a filter, found its end (None)"),
        (
            "{% if x = 1 %}{% endif %}",
            "8: expected a comparison, and, or, or the end of the tag, found \"=\" (Some(\"equality is asked for with ==\"))",
        ),
        ("{% if %}{% endif %}", "6: expected a value, found its end (None)"),
        ("{% if x && y %}{% endif %}", "8: '&' means nothing here (Some(\"and is written out\"))"),
        ("a{% if x %}b", "4: if has no endif (None)"),
        ("{% for x of y %}{% endfor %}", "9: expected in, found of (None)"),
        ("{% endif %}", "3: endif ends nothing that stands here (None)"),
        ("{% if x %}{% endfor %}{% endif %}", "13: endfor ends nothing that stands here (None)"),
        (
            "{% include 'x' %}",
            "3: there is no tag include (Some(\"a template stands alone: there are no others to include\"))",
        ),
        ("{% asign x = 1 %}", "3: there is no tag asign (Some(\"is assign meant?\"))"),
        (
            "{{ 'now' | date: '%Y' }}",
            "3: now is the time at which an event is delivered, and that may be twice (Some(\"an event has times of its own: timestamp, sentAt, receivedAt\"))",
        ),
        ("{% cycle %}", "9: expected a value, found its end (None)"),
        ("{% cycle a: %}", "12: expected a value, found its end (None)"),
    ] {
        assert_eq!(render(template, EVENT), Err(expected.to_owned()), "{template}");
    }
    for name in ["render", "layout", "tablerow", "nosuchtag", "liquid"] {
        assert!(render(&format!("{{% {name} 'x' %}}"), EVENT).is_err(), "{name}");
    }
    assert!(Template::parse(&"ü".repeat(LONGEST)).is_ok());
    assert_eq!(Template::parse(&"ü".repeat(LONGEST + 1)).expect_err("too long").at, 2 * LONGEST);
}

#[test]
fn there_is_no_clock() {
    says(&[(
        "{% assign n = 'now' %}{{ n | date: '%Y' }}{{ userId | replace: 'u7', 'today' | date: '%Y' }}",
        "nowtoday",
    )]);
}

#[test]
fn only_what_is_read_is_asked_for() {
    let reads = |template: &str| {
        let template = Template::parse(template).expect(template);
        let reads = template.reads().iter().map(|keys| keys.join("."));
        reads.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        reads("{{ a.b | upcase }}{{ a.b }}{% if c[0].d contains 'x' %}{% endif %}"),
        "a.b c.0.d"
    );
    assert_eq!(
        reads("{% for i in a.items %}{{ i.x }}{{ forloop.index }}{{ e }}{% endfor %}{{ i.y }}"),
        "a.items e i.y"
    );
    assert_eq!(
        reads("{{ a.size }}{{ a.b[-1].c }}{{ a[k].d }}{% raw %}{{ z }}{% endraw %}"),
        "a a.b k"
    );
}
