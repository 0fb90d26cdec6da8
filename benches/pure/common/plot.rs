//! Curves on two logarithmic axes, as SVG.

use plotters::prelude::*;

/// Draws curves of seconds by size, and one of n log n.
pub fn draw(curves: &[(&str, Vec<(f64, f64)>)]) -> String {
    let points = || curves.iter().flat_map(|(_, points)| points.iter().copied());
    let most = points().map(|(size, _)| size).fold(1.0, f64::max);
    let least = points().map(|(_, time)| time).fold(f64::MAX, f64::min) / 2.0;
    let longest = points().map(|(_, time)| time).fold(0.0, f64::max) * 2.0;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (900, 560)).into_drawing_area();
        area.fill(&WHITE).expect("a string takes it");
        let mut chart = ChartBuilder::on(&area)
            .margin(20)
            .x_label_area_size(45)
            .y_label_area_size(80)
            .build_cartesian_2d((1.0..most).log_scale(), (least..longest).log_scale())
            .expect("a string takes it");
        chart
            .configure_mesh()
            .x_desc("how many")
            .y_desc("time")
            .x_label_formatter(&|size| format!("{size:.0}"))
            .y_label_formatter(&|time| {
                if *time >= 1e-3 {
                    format!("{:.0} ms", time * 1e3)
                } else if *time >= 1e-6 {
                    format!("{:.0} µs", time * 1e6)
                } else {
                    format!("{:.0} ns", time * 1e9)
                }
            })
            .draw()
            .expect("a string takes it");
        for (number, (name, points)) in curves.iter().enumerate() {
            let colour = Palette99::pick(number).to_rgba();
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))
                .expect("a string takes it")
                .label(*name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2))
                });
        }
        // Starts where the first curve is at 10.
        let from = curves
            .first()
            .and_then(|(_, points)| points.iter().find(|(size, _)| *size >= 10.0))
            .map_or((10.0, least), |point| *point);
        let n_log_n = |size: f64| from.1 * size * size.log2() / (from.0 * from.0.log2());
        let sizes = (0..=40).map(|step| from.0 * (most / from.0).powf(f64::from(step) / 40.0));
        let slope = sizes.map(|size| (size, n_log_n(size)));
        chart
            .draw_series(DashedLineSeries::new(slope, 4, 4, BLACK.into()))
            .expect("a string takes it")
            .label("n log n")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], BLACK));
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()
            .expect("a string takes it");
        area.present().expect("a string takes it");
    }
    svg
}
