//! YAML 1.2 to nodes: the core schema, one document, aliases within a budget.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::json::{duplicate, put, too_deep};
use super::node::{Entry, MAX_DEPTH, Node, Parsed, Value};
use super::path::{Path, Segment};
use super::problems::{Findings, Position, Problem, Problems};

mod scalar;

use scalar::{check_tag, scalar};

/// How much all anchored values and their aliases may add, in bytes of text and 32 for each value. Large enough for any
/// config that a person writes, small enough that a "billion laughs" file stops at once.
const ALIAS_BUDGET: usize = 1024 * 1024;

/// Reads one YAML document.
pub(super) fn parse(text: &str) -> Result<Parsed, Problems> {
    Ok(Builder::default().read(Parser::new_from_str(text))?)
}

/// A list or map that is still open.
#[derive(Debug)]
enum Open {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        seen: HashMap<String, usize>,
        key: Option<(String, Position)>,
    },
}

#[derive(Debug)]
struct Frame {
    open: Open,
    anchor: usize,
    position: Position,
}

#[derive(Debug, Default)]
struct Builder {
    frames: Vec<Frame>,
    anchors: HashMap<usize, (Node, Size)>,
    spent: usize,
    document: Option<Node>,
    repeated: Findings,
    broken: Findings,
}

/// What a value costs when it is copied.
#[derive(Debug, Clone, Copy)]
struct Size {
    bytes: usize,
    depth: usize,
}

impl Builder {
    fn read(mut self, parser: Parser<'_, StrInput<'_>>) -> Result<Parsed, Problem> {
        for event in parser {
            let (event, span) = event.map_err(|error| syntax(&error))?;
            self.take(event, span)?;
        }
        match self.document {
            Some(node) => Ok(Parsed {
                node,
                repeated: self.repeated.problems,
                broken: self.broken.problems,
            }),
            None => Err(Problem::new(
                Path::root(),
                "no content",
                "a map of keys and values",
            )),
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let position = place(span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => match self.document {
                None => Ok(()),
                Some(_) => Err(Problem::new(
                    Path::root(),
                    "a second document",
                    "one document in a file",
                )
                .at(position)
                .hint("remove `---` and what follows, or put it into a file of its own")),
            },
            Event::Scalar(text, style, anchor, tag) => {
                if self.wants_key() {
                    if text == "<<" && style == ScalarStyle::Plain {
                        return Err(Problem::new(Path::root(), "merge key `<<`", "")
                            .at(position)
                            .hint("YAML 1.2 has no merging; write the keys out, or use an alias for the whole map"));
                    }
                    self.key(&text, position);
                    return Ok(());
                }
                let value = scalar(&text, style, tag.as_deref(), position);
                let value = value.unwrap_or_else(|problem| {
                    if !self.broken.is_full() {
                        let path = self.here();
                        self.broken.problem(Problem { path, ..problem });
                    }
                    Value::Text(text.into_owned())
                });
                self.place(Node { value, position }, anchor)
            }
            Event::Alias(anchor) => self.alias(anchor, position),
            Event::SequenceStart(anchor, tag) => {
                check_tag(tag.as_deref(), "seq", position)?;
                self.open(Open::List(Vec::new()), anchor, position)
            }
            Event::MappingStart(anchor, tag) => {
                check_tag(tag.as_deref(), "map", position)?;
                let open = Open::Map {
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    key: None,
                };
                self.open(open, anchor, position)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(
            self.frames.last(),
            Some(Frame {
                open: Open::Map { key: None, .. },
                ..
            })
        )
    }

    fn key(&mut self, text: &str, position: Position) {
        let twice = matches!(
            self.frames.last(),
            Some(Frame { open: Open::Map { seen, .. }, .. }) if seen.contains_key(text)
        );
        if twice && !self.repeated.is_full() {
            let path = self.here().key(text);
            self.repeated.problem(duplicate(text, path).at(position));
        }
        if let Some(Frame {
            open: Open::Map { key, .. },
            ..
        }) = self.frames.last_mut()
        {
            *key = Some((text.to_owned(), position));
        }
    }

    /// Where the next value belongs; where a key is awaited, the map.
    fn here(&self) -> Path {
        let mut path = Path::root();
        for frame in &self.frames {
            match &frame.open {
                Open::List(items) => path.push(Segment::Index(items.len())),
                Open::Map {
                    key: Some((key, _)),
                    ..
                } => path.push(Segment::Key(key.clone())),
                Open::Map { key: None, .. } => {}
            }
        }
        path
    }

    fn open(&mut self, open: Open, anchor: usize, position: Position) -> Result<(), Problem> {
        if self.wants_key() {
            return Err(
                Problem::new(Path::root(), "a list or map as a key", "a word as a key")
                    .at(position),
            );
        }
        if self.frames.len() >= MAX_DEPTH {
            return Err(too_deep(position));
        }
        self.frames.push(Frame {
            open,
            anchor,
            position,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let value = match frame.open {
            Open::List(items) => Value::List(items),
            Open::Map { entries, .. } => Value::Map(entries),
        };
        let node = Node {
            value,
            position: frame.position,
        };
        self.place(node, frame.anchor)
    }

    /// Puts a finished value where it belongs. Anchor 0 means none.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor != 0 {
            let size = size(&node);
            self.spend(size.bytes, node.position)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.frames.last_mut().map(|frame| &mut frame.open) {
            None => self.document = Some(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map { entries, seen, key }) => {
                if let Some((key, position)) = key.take() {
                    let entry = Entry {
                        key,
                        position,
                        value: node,
                    };
                    put(entries, seen, entry);
                }
            }
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, position: Position) -> Result<(), Problem> {
        if self.wants_key() {
            return Err(
                Problem::new(Path::root(), "an alias as a key", "a word as a key").at(position),
            );
        }
        let Some(size) = self.anchors.get(&anchor).map(|(_, size)| *size) else {
            return Err(
                Problem::new(Path::root(), "an alias inside the value that it names", "")
                    .at(position),
            );
        };
        if self.frames.len() + size.depth > MAX_DEPTH {
            return Err(too_deep(position));
        }
        self.spend(size.bytes, position)?;
        let copy = self.anchors.get(&anchor).map(|(node, _)| node.clone());
        match copy {
            Some(node) => self.place(node, 0),
            None => Ok(()),
        }
    }

    fn spend(&mut self, bytes: usize, position: Position) -> Result<(), Problem> {
        self.spent = self.spent.saturating_add(bytes);
        if self.spent > ALIAS_BUDGET {
            return Err(Problem::new(
                Path::root(),
                format!("aliases that expand to more than {ALIAS_BUDGET} bytes"),
                "",
            )
            .at(position)
            .hint("write the values out, or repeat smaller ones"));
        }
        Ok(())
    }
}

/// Depth is bounded by [`MAX_DEPTH`], so the recursion is too.
fn size(node: &Node) -> Size {
    let own = Size {
        bytes: 32,
        depth: 0,
    };
    let add = |total: Size, (text, child): (usize, Size)| Size {
        bytes: total.bytes + text + child.bytes,
        depth: total.depth.max(child.depth + 1),
    };
    match &node.value {
        Value::Null | Value::Bool(_) | Value::Number(_) => own,
        Value::Text(text) => Size {
            bytes: own.bytes + text.len(),
            depth: 0,
        },
        Value::List(items) => items.iter().map(|item| (0, size(item))).fold(
            Size {
                bytes: own.bytes,
                depth: 1,
            },
            add,
        ),
        Value::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.len(), size(&entry.value)))
            .fold(
                Size {
                    bytes: own.bytes,
                    depth: 1,
                },
                add,
            ),
    }
}

fn place(marker: Marker) -> Position {
    Position {
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}

fn syntax(error: &ScanError) -> Problem {
    // The parser's own bound on brackets inside each other comes first where all of them stand at the beginning.
    if error.info().contains("recursion limit") {
        return too_deep(place(*error.marker()));
    }
    let mut problem = Problem::new(Path::root(), format!("no valid YAML: {}", error.info()), "")
        .at(place(*error.marker()));
    problem.hint = remedy(error.info()).map(str::to_owned);
    problem
}

/// What to do about a syntax error; the parser's words only say what it was reading.
fn remedy(info: &str) -> Option<&'static str> {
    let has = |part: &str| info.contains(part);
    if has("tab") {
        Some("YAML is indented with spaces only")
    } else if has("block mapping, did not find expected key")
        || has("block collection, did not find")
        || has("invalid indentation")
        || has("wrongly indented")
        || has("simple key expect")
        || has("entries are not allowed in this context")
    {
        Some("this line's indentation fits no line above")
    } else if has("mapping values are not allowed") {
        Some(
            "a text with `: ` in it needs quotes; a key begins in the column of the other keys of its map",
        )
    } else if has("flow mapping, did not find") || has("flow sequence, did not find") {
        Some("write a comma between two items, and `}` or `]` at the end")
    } else if has("unexpected end of stream") {
        Some("close the text with the quote that it begins with")
    } else if has("unknown escape character") {
        Some("write `\\\\` for a backslash, or use single quotes")
    } else if has("unexpected character") || has("cannot start any token") {
        Some("write a text that begins with this character in quotes")
    } else {
        None
    }
}
