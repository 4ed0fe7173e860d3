//! What people read.

use crate::figures::Figure;
use crate::phases::Measured;

/// One phase: what it cost, and its calls by operation.
pub(crate) fn phase(measured: &Measured) {
    let calls = measured.calls.len();
    let per_account = per(calls, measured.accounts);
    let cost = &measured.cost;
    let ratio = match measured.bound() {
        bound if bound > 0.0 => format!("{:.2} × the bound", cost.wall / bound),
        _ => "no calls".to_owned(),
    };
    println!(
        "\n  {:<9}{calls:>7} calls {per_account:>8.2} an account {:>8.2} s wall ({ratio}) {:>7.2} s CPU {:>6} MB",
        format!("{:?}", measured.phase).to_lowercase(),
        cost.wall,
        cost.cpu,
        cost.peak / 1024,
    );
    if measured.world > 0.0 && calls > 0 {
        let calls = f64::from(u32::try_from(calls).unwrap_or(u32::MAX));
        println!("    the simulation answered {:.0} calls for a second of CPU", calls / measured.world);
    }
    for (operation, count) in measured.by_operation() {
        println!("    {operation:<36}{count:>7}{:>9.2}", per(count, measured.accounts));
    }
    let verdicts: Vec<_> =
        cost.verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    if !verdicts.is_empty() {
        println!("    found: {}", verdicts.join(", "));
    }
}

/// The figures, and whether each is met.
pub(crate) fn figures(figures: &[Figure]) {
    println!("\nFigures of the design\n");
    for figure in figures {
        let mark = if figure.is_met { "met   " } else { "MISSED" };
        println!("  {mark}  {:<66} {:>9} {:>9}  {}", figure.what, figure.measured, figure.limit, figure.note);
    }
}

/// So many for each.
pub(crate) fn per(count: usize, of: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(count) / number(of.max(1))
}
