//! Metrics in Prometheus' text format, as far as the tests ask.

use std::collections::{BTreeMap, BTreeSet};

/// One reading of `/metrics`.
#[derive(Debug)]
pub struct Metrics(Vec<Sample>);

#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Reads the text. Panics on a line that is none of the format's.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(
            lines.map(|line| sample(line).unwrap_or_else(|| panic!("no sample: {line}"))).collect(),
        )
    }

    /// The sum of all samples of this name that carry these labels, whatever else they carry.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let carries = |sample: &&Sample| {
            let mut labels = labels.iter();
            sample.name == name
                && labels.all(|(label, value)| {
                    sample.labels.get(*label).is_some_and(|found| found == value)
                })
        };
        // Not `sum`, whose zero is negative.
        self.0.iter().filter(carries).fold(0.0, |sum, sample| sum + sample.value)
    }

    /// The names of all samples.
    pub fn names(&self) -> BTreeSet<&str> {
        self.0.iter().map(|sample| sample.name.as_str()).collect()
    }
}

fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, parse_labels(labels.strip_suffix('}')?)?),
        None => (series, BTreeMap::new()),
    };
    Some(Sample { name: name.to_owned(), labels, value: value.parse().ok()? })
}

fn parse_labels(mut rest: &str) -> Option<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"")?;
        let end = value.find('"')?;
        labels.insert(name.to_owned(), value[..end].to_owned());
        rest = value[end + 1..].trim_start_matches(',');
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn samples_are_summed_over_the_labels_that_are_not_named() {
        let text = "# HELP a b\n# TYPE a counter\na{x=\"1\",y=\"{,}\"} 2\na{x=\"1\",y=\"q\"} 3.5\na{x=\"2\"} 10\nb 1\n";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.value("a", &[("x", "1")]).to_string(), "5.5");
        assert_eq!(metrics.value("a", &[("x", "1"), ("y", "{,}")]).to_string(), "2");
        assert_eq!(metrics.value("c", &[]).to_string(), "0");
        assert_eq!(metrics.names().into_iter().collect::<Vec<_>>(), ["a", "b"]);
    }
}
