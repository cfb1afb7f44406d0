//! A backend of plotters that writes compact SVG without colours: classes instead.

use std::convert::Infallible;
use std::fmt::Write as _;

use plotters::style::RGBColor;
use plotters_backend::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

/// Units of a coordinate in one unit of the SVG.
pub(super) const TENTHS: i32 = 10;

/// What is drawn; the page's style sheet decides its colour and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Lines of the axis and its ticks.
    Axis,
    /// Faint lines across.
    Grid,
    /// The line at zero.
    Zero,
    /// The area of the tolerance, and its ends.
    Band,
    Limit,
    /// Labels.
    Label,
    BaselineDots,
    CanaryDots,
    BaselineLine,
    CanaryLine,
    BaselineArea,
    CanaryArea,
    BaselineTicks,
    CanaryTicks,
    BaselineBox,
    CanaryBox,
    BaselineLabel,
    CanaryLabel,
    /// An interval and the mark at its estimate, in the colour of the result.
    Interval,
    Mark,
    OpenMark,
}

impl Ink {
    const ALL: [(Self, &'static str); 21] = [
        (Self::Axis, "ca"),
        (Self::Grid, "cg"),
        (Self::Zero, "cz"),
        (Self::Band, "cb"),
        (Self::Limit, "cl"),
        (Self::Label, "t"),
        (Self::BaselineDots, "db"),
        (Self::CanaryDots, "dc"),
        (Self::BaselineLine, "lb"),
        (Self::CanaryLine, "lc"),
        (Self::BaselineArea, "ab"),
        (Self::CanaryArea, "ac"),
        (Self::BaselineTicks, "kb"),
        (Self::CanaryTicks, "kc"),
        (Self::BaselineBox, "bb"),
        (Self::CanaryBox, "bc"),
        (Self::BaselineLabel, "tb"),
        (Self::CanaryLabel, "tc"),
        (Self::Interval, "ci"),
        (Self::Mark, "mk"),
        (Self::OpenMark, "mo"),
    ];

    /// The colour that stands for this ink between plotters and the backend: its place in the list.
    pub(super) fn color(self) -> RGBColor {
        let index = Self::ALL.iter().position(|(ink, _)| *ink == self);
        RGBColor(0, 0, u8::try_from(index.unwrap_or(0)).unwrap_or(0))
    }

    fn class(color: BackendColor) -> &'static str {
        Self::ALL
            .get(usize::from(color.rgb.2))
            .map_or("t", |(_, class)| class)
    }
}

/// Path data that is still open, so that what follows with the same class can join it.
struct Open {
    class: &'static str,
    data: String,
    at: BackendCoord,
}

/// Writes SVG elements to a text.
pub(super) struct Svg<'a> {
    out: &'a mut String,
    size: (u32, u32),
    open: Option<Open>,
}

impl<'a> Svg<'a> {
    /// Begins an SVG of this size, in units.
    pub(super) fn new(out: &'a mut String, width: u32, height: u32, label: &str) -> Self {
        let mut escaped = String::new();
        escape(&mut escaped, label);
        let _ = write!(
            out,
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{escaped}\">"
        );
        Self {
            out,
            size: (width * TENTHS as u32, height * TENTHS as u32),
            open: None,
        }
    }

    fn close_path(&mut self) {
        if let Some(open) = self.open.take() {
            let _ = write!(
                self.out,
                "<path class=\"{}\" d=\"{}\"/>",
                open.class, open.data
            );
        }
    }

    /// Adds a run of points to the open path, or to a new one.
    fn add(
        &mut self,
        class: &'static str,
        points: impl IntoIterator<Item = BackendCoord>,
        end: &str,
    ) {
        let mut points = points.into_iter();
        let Some(first) = points.next() else { return };
        if self.open.as_ref().is_none_or(|open| open.class != class) {
            self.close_path();
        }
        let open = self.open.get_or_insert_with(|| Open {
            class,
            data: String::new(),
            at: (0, 0),
        });
        if open.data.is_empty() {
            open.data.push('M');
            pair(&mut open.data, first);
        } else {
            open.data.push('m');
            pair(&mut open.data, (first.0 - open.at.0, first.1 - open.at.1));
        }
        open.at = first;
        let mut drawing = false;
        for point in points {
            let step = (point.0 - open.at.0, point.1 - open.at.1);
            match step {
                (0, 0) => continue,
                (dx, 0) => {
                    open.data.push('h');
                    number(&mut open.data, dx);
                    drawing = false;
                }
                (0, dy) => {
                    open.data.push('v');
                    number(&mut open.data, dy);
                    drawing = false;
                }
                both => {
                    if !drawing {
                        open.data.push('l');
                    } else if both.0 >= 0 {
                        open.data.push(' ');
                    }
                    pair(&mut open.data, both);
                    drawing = true;
                }
            }
            open.at = point;
        }
        open.data.push_str(end);
        if end.contains('z') {
            // Closing moves the pen back to the start of the run.
            open.at = first;
        }
    }
}

impl Drop for Svg<'_> {
    fn drop(&mut self) {
        self.close_path();
        self.out.push_str("</svg>");
    }
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Svg<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        self.add(Ink::class(color), [point], "h0");
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.add(Ink::class(style.color()), [from, to], "");
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        let corners = [
            upper_left,
            (bottom_right.0, upper_left.1),
            bottom_right,
            (upper_left.0, bottom_right.1),
        ];
        self.add(Ink::class(style.color()), corners, "z");
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.add(Ink::class(style.color()), path, "");
        Ok(())
    }

    /// A dot: its size is that of the line, whose ends are round or square.
    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        _radius: u32,
        style: &S,
        _fill: bool,
    ) -> Drawn {
        self.add(Ink::class(style.color()), [center], "h0");
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vert: I,
        style: &S,
    ) -> Drawn {
        self.add(Ink::class(style.color()), vert, "z");
        Ok(())
    }

    fn draw_text<TStyle: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &TStyle,
        pos: BackendCoord,
    ) -> Drawn {
        self.close_path();
        let class = Ink::class(style.color());
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => " m",
            HPos::Right => " e",
        };
        let _ = write!(self.out, "<text class=\"{class}{anchor}\" x=\"");
        number(self.out, pos.0);
        self.out.push_str("\" y=\"");
        number(self.out, pos.1);
        self.out.push_str("\">");
        escape(self.out, text);
        self.out.push_str("</text>");
        Ok(())
    }

    /// Our charts place their texts themselves; plotters need not know their size.
    fn estimate_text_size<TStyle: BackendTextStyle>(
        &self,
        _text: &str,
        _style: &TStyle,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((0, 0))
    }
}

fn pair(out: &mut String, (x, y): BackendCoord) {
    number(out, x);
    if y >= 0 {
        out.push(' ');
    }
    number(out, y);
}

/// A number of tenths as short as SVG allows.
fn number(out: &mut String, tenths: i32) {
    let size = tenths.unsigned_abs();
    let (whole, tenth) = (size / TENTHS as u32, size % TENTHS as u32);
    if tenths < 0 {
        out.push('-');
    }
    let _ = match (whole, tenth) {
        (whole, 0) => write!(out, "{whole}"),
        (0, tenth) => write!(out, ".{tenth}"),
        (whole, tenth) => write!(out, "{whole}.{tenth}"),
    };
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(draw: impl FnOnce(&mut Svg<'_>), expected: &str) {
        let mut out = String::new();
        {
            let mut svg = Svg::new(&mut out, 10, 10, "<x>");
            draw(&mut svg);
        }
        let inside = out
            .strip_prefix("<svg viewBox=\"0 0 10 10\" role=\"img\" aria-label=\"&lt;x&gt;\">")
            .and_then(|rest| rest.strip_suffix("</svg>"));
        assert_eq!(inside, Some(expected));
    }

    #[test]
    fn dots_of_one_kind_become_one_path() {
        check(
            |svg| {
                for point in [(10, 20), (15, 18), (15, 30)] {
                    let _ = svg.draw_circle(point, 1, &Ink::CanaryDots.color().to_backend(), true);
                }
            },
            "<path class=\"dc\" d=\"M1 2h0m.5-.2h0m0 1.2h0\"/>",
        );
    }

    #[test]
    fn a_closed_run_leaves_the_pen_at_its_start() {
        check(
            |svg| {
                let style = Ink::Band.color().to_backend();
                let _ = svg.draw_rect((10, 10), (30, 20), &style, true);
                let _ = svg.draw_rect((40, 10), (50, 20), &style, true);
            },
            "<path class=\"cb\" d=\"M1 1h2v1h-2zm3 0h1v1h-1z\"/>",
        );
    }

    trait ToBackend {
        fn to_backend(self) -> BackendColor;
    }

    impl ToBackend for RGBColor {
        fn to_backend(self) -> BackendColor {
            BackendColor {
                alpha: 1.0,
                rgb: (self.0, self.1, self.2),
            }
        }
    }
}
