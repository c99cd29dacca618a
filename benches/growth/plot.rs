//! Charts as SVG, small enough to stand beside each other, on white: they are looked at in dark pages
//! too. Knows points and bars, not what they mean.

use std::fmt::Write as _;

const WIDTH: f64 = 480.0;
const LINES_HEIGHT: f64 = 320.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 52.0;
/// Blue and orange, told apart by everybody.
const COLOURS: [&str; 2] = ["#1f5fa8", "#c2570c"];
const GREY: &str = "#9aa3ad";

/// Points that belong together, from left to right.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// Bars that are compared with each other.
pub struct Bars {
    pub name: String,
    /// The last one is what it is about.
    pub bars: Vec<(String, f64)>,
}

/// Lines over two logarithmic axes. Where there is a zero, it stands in front of the others.
pub fn lines(title: &str, x_title: &str, y_title: &str, lines: &[Line]) -> String {
    let mut svg = begin(LINES_HEIGHT, title);
    let xs = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.0));
    let ys = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
    let smallest = xs().filter(|x| *x > 0.0).fold(f64::INFINITY, f64::min);
    let logarithm = |x: f64| if x > 0.0 { x.log10() } else { (smallest / 10.0).log10() };
    let x_range = range(xs().map(logarithm));
    let x_at = |x: f64| along(logarithm(x), x_range, (LEFT + 14.0, WIDTH - RIGHT - 14.0));
    let ticks = ticks(ys());
    let y_range = (ticks[0].log10(), ticks[ticks.len() - 1].log10());
    let y_at = |y: f64| along(y.log10(), y_range, (LINES_HEIGHT - BOTTOM, TOP));
    for tick in ticks {
        let (y, end) = (y_at(tick), WIDTH - RIGHT);
        rule(&mut svg, (LEFT, y), (end, y));
        text(&mut svg, (LEFT - 6.0, y + 4.0), "end", &number(tick));
    }
    let mut marked: Vec<f64> = xs().collect();
    marked.sort_by(f64::total_cmp);
    marked.dedup();
    for x in marked {
        text(&mut svg, (x_at(x), LINES_HEIGHT - BOTTOM + 18.0), "middle", &number(x));
    }
    text(&mut svg, (f64::midpoint(LEFT, WIDTH - RIGHT), LINES_HEIGHT - 10.0), "middle", x_title);
    let middle = f64::midpoint(TOP, LINES_HEIGHT - BOTTOM);
    add(
        &mut svg,
        &format!(
            "<text transform=\"translate(16 {middle:.0}) rotate(-90)\" text-anchor=\"middle\">{y_title}</text>"
        ),
    );
    let mut legend = LEFT;
    for (index, Line { name, points }) in lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let path = points.iter().map(|&(x, y)| format!("{:.1},{:.1}", x_at(x), y_at(y)));
        let path = path.collect::<Vec<_>>().join(" ");
        add(
            &mut svg,
            &format!(
                "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>"
            ),
        );
        // The upper line has its numbers above it, the lower one below.
        let aside = if index == 0 && lines.len() > 1 { 17.0 } else { -9.0 };
        for &(x, y) in points {
            let (x, at) = (x_at(x), y_at(y));
            add(
                &mut svg,
                &format!("<circle cx=\"{x:.1}\" cy=\"{at:.1}\" r=\"3.5\" fill=\"{colour}\"/>"),
            );
            let label = number(y);
            add(
                &mut svg,
                &format!(
                    "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{colour}\">{label}</text>",
                    at + aside
                ),
            );
        }
        add(
            &mut svg,
            &format!(
                "<rect x=\"{legend:.0}\" y=\"36\" width=\"12\" height=\"12\" fill=\"{colour}\"/>"
            ),
        );
        text(&mut svg, (legend + 18.0, 46.0), "start", name);
        legend += 170.0;
    }
    end(svg)
}

/// Groups of horizontal bars, each group on a scale of its own.
pub fn bars(title: &str, unit: &str, groups: &[Bars]) -> String {
    const HEIGHT: f64 = 22.0;
    const NAMES: f64 = 190.0;
    let rows = groups.iter().map(|group| group.bars.len()).sum::<usize>();
    let height = 70.0 + rows as f64 * HEIGHT + groups.len() as f64 * 34.0;
    let mut svg = begin(height, title);
    let mut y = 50.0;
    for Bars { name, bars } in groups {
        add(
            &mut svg,
            &format!("<text x=\"16\" y=\"{:.0}\" font-weight=\"bold\">{name}</text>", y + 10.0),
        );
        y += 20.0;
        let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
        for (index, (name, value)) in bars.iter().enumerate() {
            let colour = if index + 1 == bars.len() { COLOURS[0] } else { GREY };
            let width = value / most * (WIDTH - NAMES - 70.0);
            text(&mut svg, (NAMES - 8.0, y + 13.0), "end", name);
            add(
                &mut svg,
                &format!(
                    "<rect x=\"{NAMES}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"16\" fill=\"{colour}\"/>",
                    y + 1.0
                ),
            );
            text(&mut svg, (NAMES + width + 6.0, y + 13.0), "start", &number(*value));
            y += HEIGHT;
        }
        y += 14.0;
    }
    text(&mut svg, (NAMES, y + 6.0), "start", unit);
    end(svg)
}

/// A number with as many digits as mean something.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    if digits > 0 {
        return text;
    }
    let mut grouped = String::new();
    for (index, digit) in text.chars().enumerate() {
        if index > 0 && (text.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Round numbers below, between and above the values, each two or two and a half times the last.
fn ticks(values: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(0.0, f64::max);
    let round = (-2..7).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
    let mut round: Vec<_> = round.collect();
    // Room for the numbers beside the points.
    let first = round.partition_point(|tick| *tick <= least * 0.65).saturating_sub(1);
    let end = round.partition_point(|tick| *tick < most * 1.3).min(round.len() - 1);
    round.drain(first..=end).collect()
}

fn range(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max))
}

fn along(value: f64, (from, to): (f64, f64), (begin, end): (f64, f64)) -> f64 {
    if from >= to {
        f64::midpoint(begin, end)
    } else {
        begin + (value - from) / (to - from) * (end - begin)
    }
}

fn begin(height: f64, title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" height=\"{height:.0}\" font-family=\"-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#24292f\">
<title>{title}</title>
<rect width=\"100%\" height=\"100%\" fill=\"white\"/>
<text x=\"16\" y=\"22\" font-size=\"14\" font-weight=\"bold\">{title}</text>
"
    )
}

fn end(mut svg: String) -> String {
    svg.push_str("</svg>\n");
    svg
}

fn rule(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let place = format!("x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"");
    add(svg, &format!("<line {place} stroke=\"#d8dee4\"/>"));
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    add(svg, &format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"));
}

fn add(svg: &mut String, element: &str) {
    writeln!(svg, "{element}").expect("a text takes everything");
}
