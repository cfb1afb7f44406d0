//! What our charts draw with: plotters on our backend, at tenths of a unit.

use std::convert::Infallible;

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{IntoFont, ShapeStyle, TextStyle};

use super::axis::Axis;
use super::svg::{Ink, Svg, TENTHS};

pub(super) type Drawn = Result<(), DrawingAreaErrorKind<Infallible>>;

/// A part of a chart, in units: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

/// Where a text is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A chart that is being drawn, in units.
pub(super) struct Canvas<'a> {
    root: DrawingArea<Svg<'a>, Shift>,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(svg: Svg<'a>) -> Self {
        Self {
            root: svg.into_drawing_area(),
        }
    }

    /// The part of the chart in which two axes hold.
    pub(super) fn plane(&self, x: Axis, y: Axis, frame: Frame) -> Plane<'a> {
        let spec = Cartesian2d::new(
            x,
            y,
            (
                tenths(frame.left)..tenths(frame.right),
                tenths(frame.bottom)..tenths(frame.top),
            ),
        );
        Plane {
            area: self.root.apply_coord_spec(spec),
        }
    }

    pub(super) fn line(&self, ink: Ink, points: impl IntoIterator<Item = (f64, f64)>) -> Drawn {
        let points: Vec<(i32, i32)> = points.into_iter().map(place).collect();
        self.root.draw(&PathElement::new(points, style(ink)))
    }

    pub(super) fn area(&self, ink: Ink, points: impl IntoIterator<Item = (f64, f64)>) -> Drawn {
        let points: Vec<(i32, i32)> = points.into_iter().map(place).collect();
        self.root.draw(&Polygon::new(points, style(ink)))
    }

    pub(super) fn text(&self, ink: Ink, anchor: Anchor, at: (f64, f64), text: &str) -> Drawn {
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let color = ink.color();
        let style = TextStyle::from(("sans-serif", 110).into_font())
            .color(&color)
            .pos(Pos::new(h_pos, VPos::Top));
        self.root
            .draw(&Text::new(text.to_owned(), place(at), style))
    }
}

/// The part of a chart in which two axes hold.
pub(super) struct Plane<'a> {
    area: DrawingArea<Svg<'a>, Cartesian2d<Axis, Axis>>,
}

impl Plane<'_> {
    pub(super) fn dots(&self, ink: Ink, points: impl IntoIterator<Item = (f64, f64)>) -> Drawn {
        for point in points {
            self.area.draw(&Circle::new(point, 1, style(ink)))?;
        }
        Ok(())
    }

    pub(super) fn line(&self, ink: Ink, points: Vec<(f64, f64)>) -> Drawn {
        self.area.draw(&PathElement::new(points, style(ink)))
    }

    pub(super) fn area(&self, ink: Ink, points: Vec<(f64, f64)>) -> Drawn {
        self.area.draw(&Polygon::new(points, style(ink)))
    }
}

fn style(ink: Ink) -> ShapeStyle {
    ShapeStyle {
        color: ink.color().into(),
        filled: true,
        stroke_width: 1,
    }
}

fn tenths(units: f64) -> i32 {
    (units * f64::from(TENTHS)).round() as i32
}

fn place((x, y): (f64, f64)) -> (i32, i32) {
    (tenths(x), tenths(y))
}
