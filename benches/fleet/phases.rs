//! The phases, in the order in which a fleet lives through them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use landfast::sandbox::aws::Entry;
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::Args;
use crate::child::{Command, Cost};
use crate::figures::{self, Figure};
use crate::fleet::{Climate, Fleet, Outside, STACKS, slug};
use crate::import::import;
use crate::process;
use crate::table;

/// How many times faster than AWS time passes where waiting is not what is measured.
const FAST: f64 = 10.0;
/// How long an operation on a stack takes where it is.
const SLOW: Duration = Duration::from_secs(20);
/// How many folders the repository has from which one is touched.
const FOLDERS: usize = 10_000;
/// How many looks there are besides the one that is shown: what one takes of CPU varies by a third.
const MORE: usize = 4;
/// How long no call must have come for a daemon to be at rest.
const REST: Duration = Duration::from_secs(3);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Phase {
    /// Two stacks in every account, none of which is there.
    Rollout,
    /// The look after it that confirms what was made.
    Confirm,
    /// A look by a process that has just started.
    Cold,
    /// Another look by the same process.
    Warm,
    /// The whole fleet written down as files, by `landfast import`.
    Import,
    /// A look that has AWS detect drift.
    Drift,
    /// One parameter of one stack changes in every account.
    Change,
    /// The same where stack operations take 20 s at AWS's own pace.
    Slow,
    /// A running daemon and one account more.
    New,
    /// A commit that touches one folder of ten thousand, taken in once it has been fetched.
    Load,
}

/// What a phase came to.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) phase: Phase,
    pub(crate) accounts: usize,
    pub(crate) latency: f64,
    pub(crate) concurrency: usize,
    pub(crate) cost: Cost,
    pub(crate) calls: Vec<Entry>,
    /// CPU of the simulation meanwhile, in seconds.
    pub(crate) world: f64,
}

impl Measured {
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.calls.iter().filter(|entry| entry.operation == operation).count()
    }

    pub(crate) fn by_operation(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for entry in &self.calls {
            *counts.entry(entry.operation.as_str()).or_default() += 1;
        }
        counts
    }

    /// What the calls take if the concurrency is used to the full.
    pub(crate) fn bound(&self) -> f64 {
        let calls = f64::from(u32::try_from(self.calls.len()).unwrap_or(u32::MAX));
        calls * self.latency / f64::from(u32::try_from(self.concurrency).unwrap_or(u32::MAX))
    }
}

/// Landfast in a process of its own.
struct Product {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Product {
    fn start(outside: &Outside) -> Self {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .arg("--product")
            .arg(serde_json::to_string(outside).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output) }
    }

    fn send(&mut self, command: Command) {
        writeln!(self.input, "{}", serde_json::to_string(&command).unwrap()).unwrap();
    }

    fn tell(&mut self, command: Command) -> Cost {
        self.send(command);
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One size of fleet.
struct Life<'a> {
    args: &'a Args,
    accounts: usize,
    fleet: Fleet,
    measured: Vec<Measured>,
}

/// Measures every size, and judges.
pub(crate) fn run(args: &Args) {
    let runtime = Runtime::new().unwrap();
    let mut all = Vec::new();
    for accounts in &args.accounts {
        let climate = Climate {
            latency: Duration::from_millis(args.latency),
            speed: FAST,
            stack_operation: Duration::ZERO,
        };
        let fleet = runtime.block_on(Fleet::of(*accounts, climate));
        let mut life = Life { args, accounts: *accounts, fleet, measured: Vec::new() };
        life.live();
        all.extend(life.measured);
    }
    if args.only.is_empty() || args.only.contains(&Phase::Load) {
        all.push(load(args, &runtime));
    }
    let figures: Vec<Figure> = figures::judge(&all);
    table::figures(&figures);
}

/// Takes in a commit that touches one folder of very many.
fn load(args: &Args, runtime: &Runtime) -> Measured {
    let climate = Climate { latency: Duration::ZERO, speed: FAST, stack_operation: Duration::ZERO };
    let fleet = runtime.block_on(Fleet::of(FOLDERS, climate));
    println!("\n{FOLDERS} folders");
    let mut life = Life { args, accounts: FOLDERS, fleet, measured: Vec::new() };
    let mut product = started(&life.fleet.outside(args.concurrency));
    life.fleet.touch(1);
    product.tell(Command::Fetch);
    life.measure(Phase::Load, |_| product.tell(Command::Pull));
    life.measured.remove(0)
}

impl Life<'_> {
    fn live(&mut self) {
        if self.args.only == [Phase::Load] {
            return;
        }
        println!("\n{} accounts × {} stacks", self.accounts, STACKS.len());
        let outside = self.fleet.outside(self.args.concurrency);
        let mut product = started(&outside);
        self.measure(Phase::Rollout, |_| product.tell(Command::Pass));
        assert_eq!(self.fleet.whole_stacks(), self.accounts * STACKS.len(), "the rollout made every stack");
        self.measure(Phase::Confirm, |_| product.tell(Command::Pass));
        drop(product);
        let before = self.more(Phase::Cold, || started(&outside).tell(Command::Look).cpu);
        let mut product = started(&outside);
        self.measure(Phase::Cold, |_| product.tell(Command::Look).averaged(&before));
        let before = self.more(Phase::Warm, || product.tell(Command::Look).cpu);
        self.measure(Phase::Warm, |_| product.tell(Command::Look).averaged(&before));
        if self.is_done(Phase::Warm) {
            return;
        }
        let (accounts, concurrency) = (self.accounts, self.args.concurrency);
        if self.is_wanted(Phase::Import) {
            self.measure(Phase::Import, |fleet| import(fleet, accounts, concurrency));
        }
        self.measure(Phase::Drift, |_| product.tell(Command::Detect));
        self.fleet.change_parameter(60);
        product.tell(Command::Pull);
        self.measure(Phase::Change, |_| product.tell(Command::Pass));
        assert_eq!(self.fleet.stacks_with(60), self.accounts, "every stack has the new value");
        product.tell(Command::Pass);
        drop(product);
        self.slow();
        self.one_more();
    }

    /// What a phase takes of CPU, so often that one look more gives a mean.
    fn more(&self, phase: Phase, look: impl FnMut() -> f64) -> Vec<f64> {
        let times = if self.is_wanted(phase) { MORE } else { 0 };
        std::iter::repeat_with(look).take(times).collect()
    }

    fn is_wanted(&self, phase: Phase) -> bool {
        self.args.only.is_empty() || self.args.only.contains(&phase)
    }

    /// True when nothing is wanted of what comes after this phase.
    fn is_done(&self, phase: Phase) -> bool {
        !self.args.only.is_empty()
            && self.args.only.iter().all(|wanted| *wanted <= phase || *wanted == Phase::Load)
    }

    fn slow(&mut self) {
        if !self.is_wanted(Phase::Slow) || (self.args.only.is_empty() && self.accounts > 200) {
            return;
        }
        self.fleet.at_pace(1.0, SLOW);
        // All at once: what is asked here is how often a stack is looked at, not how long the queue is.
        let mut product = started(&self.fleet.outside(self.accounts));
        product.tell(Command::Look);
        self.fleet.change_parameter(90);
        product.tell(Command::Pull);
        self.measure(Phase::Slow, |_| product.tell(Command::Pass));
        assert_eq!(self.fleet.stacks_with(90), self.accounts, "every stack has the new value");
        product.tell(Command::Pass);
        self.fleet.at_pace(FAST, Duration::ZERO);
    }

    fn one_more(&mut self) {
        if !self.is_wanted(Phase::New) {
            return;
        }
        let mut product = Product::start(&self.fleet.outside(self.args.concurrency));
        product.send(Command::Run);
        self.until_rest();
        self.measure(Phase::New, |fleet| {
            let before = product.tell(Command::Look);
            fleet.declare(&slug(0));
            let began = Instant::now();
            until_rest(fleet);
            let after = product.tell(Command::Look);
            Cost {
                wall: began.elapsed().saturating_sub(REST).as_secs_f64(),
                cpu: after.cpu - before.cpu,
                ..after
            }
        });
        assert_eq!(
            self.fleet.whole_stacks(),
            (self.accounts + 1) * STACKS.len(),
            "the new account is complete"
        );
    }

    fn until_rest(&self) {
        until_rest(&self.fleet);
    }

    fn measure(&mut self, phase: Phase, work: impl FnOnce(&Fleet) -> Cost) {
        let (mark, before) = (self.fleet.mark(), process::cpu());
        let cost = work(&self.fleet);
        let world = process::cpu() - before;
        if !self.is_wanted(phase) {
            return;
        }
        let calls = self.fleet.calls_since(mark);
        let concurrency = if phase == Phase::Slow { self.accounts } else { self.args.concurrency };
        let latency = f64::from(u32::try_from(self.args.latency).unwrap()) / 1000.0;
        let measured = Measured { phase, accounts: self.accounts, latency, concurrency, cost, calls, world };
        table::phase(&measured);
        self.measured.push(measured);
    }
}

/// Waits until no call has come for a while.
fn until_rest(fleet: &Fleet) {
    let (mut last, mut since) = (fleet.mark(), Instant::now());
    while since.elapsed() < REST {
        std::thread::sleep(Duration::from_millis(100));
        let mark = fleet.mark();
        if mark != last {
            (last, since) = (mark, Instant::now());
        }
    }
}

/// A process that has loaded everything and looked at nothing.
fn started(outside: &Outside) -> Product {
    let mut product = Product::start(outside);
    product.tell(Command::Start);
    product
}

impl Cost {
    /// The same with the CPU as a mean of this and other looks.
    fn averaged(self, others: &[f64]) -> Self {
        let count = f64::from(u32::try_from(others.len() + 1).unwrap_or(u32::MAX));
        Self { cpu: (others.iter().sum::<f64>() + self.cpu) / count, ..self }
    }
}
