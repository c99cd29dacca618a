//! What is printed for people, and written for machines.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// One number of one round, under a name that says what it is.
#[derive(Clone)]
pub struct Figure {
    pub name: String,
    pub value: f64,
}

/// All rounds as one table: the median of each figure, and all of them where there are more.
pub fn table(rounds: &[Vec<Figure>]) -> String {
    let mut text = String::new();
    let mut last = "";
    for (index, Figure { name, .. }) in rounds[0].iter().enumerate() {
        let (group, name) = name.split_once(": ").unwrap_or(("", name));
        if group != last {
            let _ = writeln!(text, "\n{group}");
            last = group;
        }
        let values = values(rounds, index);
        let all: Vec<_> = values.iter().map(|value| number(*value)).collect();
        let range = if all.len() > 1 { format!("  ({})", all.join(", ")) } else { String::new() };
        let _ = writeln!(text, "  {name:<52}{:>12}{range}", number(median(values)));
    }
    text
}

/// All rounds, for machines.
pub fn json(rounds: &[Vec<Figure>], machine: &Value) -> Value {
    let mut figures = Map::new();
    for (index, Figure { name, .. }) in rounds[0].iter().enumerate() {
        let values = values(rounds, index);
        let figure = json!({ "median": median(values.clone()), "rounds": values });
        figures.insert(name.clone(), figure);
    }
    json!({ "machine": machine, "rounds": rounds.len(), "figures": figures })
}

fn values(rounds: &[Vec<Figure>], index: usize) -> Vec<f64> {
    rounds.iter().map(|round| round[index].value).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}
