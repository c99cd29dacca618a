//! A YAML document as a tree that remembers where everything stands.
//!
//! Knows YAML's syntax by way of `saphyr-parser`, and what this program refuses of it: repeated
//! keys, keys that are no scalars, tags, a second document, deep nesting, and aliases that
//! multiply. It does not know any key.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::scalar::Written;
use super::slips;
use super::tree::{Entry, Node, Scalar, Value, below};

/// The most brackets and indentations inside one another.
const DEEPEST: usize = 64;
/// The most values after aliases have been replaced by what they stand for.
const MOST_NODES: usize = 400_000;

/// Why a text is not one YAML document that is accepted here.
#[derive(Debug)]
pub(super) struct Refused {
    /// The keys from the outside in.
    pub(super) path: String,
    pub(super) bytes: Range<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// Reads `text` as one document. Repeated keys do not end it: they are all returned.
pub(super) fn parse(text: &str) -> Result<(Node, Vec<Refused>), Refused> {
    let mut composer = Composer {
        text,
        offsets: text.char_indices().map(|(at, _)| at).chain([text.len()]).collect(),
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
        repeated: Vec::new(),
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| composer.syntax_error(&error))?;
        if let Event::DocumentStart(_) = event {
            documents += 1;
            if documents > 1 {
                return Err(composer.refuse(
                    span,
                    "a second document begins here",
                    "one file holds one configuration",
                ));
            }
        }
        composer.take(event, span)?;
    }
    let root = composer.root.unwrap_or_else(|| Node { bytes: 0..0, value: Value::Map(Vec::new()) });
    Ok((root, composer.repeated))
}

/// A list or mapping whose end has not been seen.
struct Open {
    anchor: usize,
    bytes: Range<usize>,
    items: Items,
}

enum Items {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, Range<usize>)> },
}

struct Composer<'a> {
    text: &'a str,
    /// The byte at which each character begins.
    offsets: Vec<usize>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
    repeated: Vec<Refused>,
}

impl Composer<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Refused> {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let is_string = match tag {
                    Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => true,
                    Some(_) => return Err(self.refuse_tag(span)),
                    None => false,
                };
                let mut start = self.byte(span.start.index());
                let mut indent = span.start.col();
                if anchor > 0 || is_string {
                    (start, indent) = past_properties(self.text, start, style, &value);
                }
                let written = Written { style, start, indent };
                let node = self.scalar(&value, written, is_string);
                self.place(anchor, node)
            }
            Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                Err(self.refuse_tag(span))
            }
            Event::SequenceStart(anchor, None) => self.begin(anchor, span, Items::List(Vec::new())),
            Event::MappingStart(anchor, None) => {
                self.begin(anchor, span, Items::Map { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Ok(());
                };
                let value = match open.items {
                    Items::List(items) => Value::List(items),
                    Items::Map { entries, .. } => Value::Map(entries),
                };
                self.place(open.anchor, Node { bytes: open.bytes, value })
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(self.refuse(
                        span,
                        "this alias stands inside its own anchor",
                        "an alias repeats a value that is complete",
                    ));
                };
                let node = node.clone();
                self.count(node.size(), span)?;
                self.place(0, node)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, anchor: usize, span: Span, items: Items) -> Result<(), Refused> {
        if self.open.len() == DEEPEST {
            return Err(self.refuse(span, format!("nested more than {DEEPEST} levels deep"), None));
        }
        let start = self.byte(span.start.index());
        self.count(1, span)?;
        self.open.push(Open { anchor, bytes: start..start + 1, items });
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, anchor: usize, node: Node) -> Result<(), Refused> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some((open, above)) = self.open.split_last_mut().map(|(open, above)| (open, &*above))
        else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.items {
            Items::List(items) => items.push(node),
            Items::Map { entries, key } => match key.take() {
                Some((key, key_bytes)) => {
                    if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                        let line = 1 + self.text[..first.key_bytes.start].matches('\n').count();
                        let path = path_to(above);
                        self.repeated.push(Refused {
                            path,
                            bytes: key_bytes,
                            message: format!("key `{key}` is repeated"),
                            hint: Some(format!("it stands in line {line} already")),
                        });
                    } else {
                        entries.push(Entry { key, key_bytes, node });
                    }
                }
                None => match node.value {
                    Value::Scalar(scalar) => *key = Some((scalar.raw, node.bytes)),
                    _ => {
                        return Err(Refused {
                            path: path_to(above),
                            bytes: node.bytes,
                            message: "a key must be a text".into(),
                            hint: Some("a value that holds `{` or `[` wants quotes".into()),
                        });
                    }
                },
            },
        }
        Ok(())
    }

    fn scalar(&mut self, value: &str, written: Written, is_string: bool) -> Node {
        let end = written.end(self.text, value).max(written.start);
        self.nodes += 1;
        Node {
            bytes: written.start..end,
            value: Value::Scalar(Scalar {
                raw: value.to_owned(),
                text: value.to_owned(),
                expansions: Vec::new(),
                broken: false,
                written,
                is_string,
            }),
        }
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), Refused> {
        self.nodes += more;
        if self.nodes > MOST_NODES {
            return Err(self.refuse(
                span,
                format!("more than {MOST_NODES} values"),
                Some("aliases count as what they repeat"),
            ));
        }
        Ok(())
    }

    fn byte(&self, character: usize) -> usize {
        self.offsets.get(character).copied().unwrap_or(self.text.len())
    }

    fn refuse<'h>(
        &self,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<Option<&'h str>>,
    ) -> Refused {
        let start = self.byte(span.start.index());
        Refused {
            path: path_to(&self.open),
            bytes: start..self.byte(span.end.index()).max(start),
            message: message.into(),
            hint: hint.into().map(str::to_owned),
        }
    }

    fn refuse_tag(&self, span: Span) -> Refused {
        let is_text = !self.text[self.byte(span.start.index())..].starts_with("!!");
        let hint = if is_text { slips::BLOCK } else { "quotes make a text of a number" };
        self.refuse(span, "tags have no meaning here", hint)
    }

    fn syntax_error(&self, error: &saphyr_parser::ScanError) -> Refused {
        let written = self.text.trim_end().len();
        let at = self.byte(error.marker().index()).min(written);
        let slip = slips::find(self.text, at, error.info());
        let bytes = slip.as_ref().and_then(|slip| slip.bytes.clone()).unwrap_or(at..at);
        Refused {
            path: path_to(&self.open),
            bytes,
            message: format!("not YAML: {}", slips::reworded(error.info())),
            hint: slip.map(|slip| slip.hint),
        }
    }
}

/// The keys that lead into the innermost of these, from the outside in.
fn path_to(open: &[Open]) -> String {
    open.iter().fold(String::new(), |path, open| match &open.items {
        Items::List(items) => format!("{path}[{}]", items.len()),
        Items::Map { key: Some((key, _)), .. } => below(&path, key),
        Items::Map { key: None, .. } => path,
    })
}

/// Where a scalar's own text begins, and how far it is indented, when its anchor or tag begins at
/// `start`.
fn past_properties(text: &str, start: usize, style: ScalarStyle, value: &str) -> (usize, usize) {
    let mut rest = &text[start..];
    loop {
        rest = rest.trim_start();
        if rest.starts_with(['&', '!']) {
            rest = rest.trim_start_matches(|c: char| !c.is_whitespace());
        } else if rest.starts_with('#') {
            rest = rest.trim_start_matches(|c: char| c != '\n');
        } else {
            break;
        }
    }
    if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
        // Behind the block's header, and behind the empty lines before its first text.
        rest = rest.trim_start_matches(|c: char| c != '\n').trim_start_matches([' ', '\r', '\n']);
    }
    let mut place = text.len() - rest.len();
    if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
        // Blanks that belong to the text itself.
        let first = value.trim_start_matches('\n');
        place -= (first.len() - first.trim_start_matches(' ').len()).min(place);
    }
    let line = text[..place].rfind('\n').map_or(0, |before| before + 1);
    (place, place - line)
}
