//! Random programs: nested blocks, loops, branches out of expressions, memory, calls and traps.

use super::oracle::Program;

/// Programs per run; the seeds are fixed.
const PROGRAMS: u64 = 150;

const ARITHMETIC: [&str; 16] = [
    "add", "sub", "mul", "and", "or", "xor", "shl", "shr_u", "shr_s", "rotl", "rotr", "add", "sub", "and", "add", "xor",
];
const COMPARE: [&str; 10] = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
const CONSTANTS: [i64; 14] = [0, 1, 2, 3, 7, 8, 31, 32, 63, 255, -1, -2, 0x7fff_ffff, -0x8000_0000];

/// Locals 0 and 1 are `i32` parameters and 2 an `i64` parameter; 3 to 5 are `i32`, 6 and 7 `i64`,
/// 8 and 9 count loops.
const WORDS: [u64; 6] = [0, 1, 3, 0x8000_0001, 0xffff_fff0, 0x7fff_ffff_ffff_ffff];

#[derive(Clone, Copy, PartialEq)]
enum Type {
    I32,
    I64,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::I32 => "i32",
            Type::I64 => "i64",
        }
    }
}

struct Generator {
    state: u64,
    /// The results of the open labels, innermost last; loops have none.
    labels: Vec<Option<Type>>,
    /// Loops open; each has a counter of its own.
    loops: usize,
    /// Functions that may be called.
    callable: usize,
}

impl Generator {
    fn next(&mut self, bound: u64) -> u64 {
        // A linear congruential generator with Knuth's constants for 64 bits.
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % bound
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.next(items.len() as u64) as usize]
    }

    fn local(&mut self, ty: Type) -> u64 {
        match ty {
            Type::I32 => self.pick(&[0, 1, 3, 4, 5]),
            Type::I64 => self.pick(&[2, 6, 7]),
        }
    }

    fn expr(&mut self, ty: Type, depth: u32) -> String {
        let (name, depth_left) = (ty.name(), depth.saturating_sub(1));
        if depth == 0 {
            return match self.next(3) {
                0 => format!("({name}.const {})", self.pick(&CONSTANTS)),
                _ => format!("(local.get {})", self.local(ty)),
            };
        }
        match self.next(16) {
            0..=4 => {
                let op = self.pick(&ARITHMETIC);
                format!("({name}.{op} {} {})", self.expr(ty, depth_left), self.expr(ty, depth_left))
            }
            5 if ty == Type::I32 => {
                let (of, op) = (self.pick(&[Type::I32, Type::I64]), self.pick(&COMPARE));
                let (a, b) = (self.expr(of, depth_left), self.expr(of, depth_left));
                format!("({}.{op} {a} {b})", of.name())
            }
            6 if ty == Type::I32 => {
                let op = self.pick(&["div_s", "div_u", "rem_s", "rem_u"]);
                let (a, b) = (self.expr(ty, depth_left), self.expr(ty, depth_left));
                format!("(i32.{op} {a} (i32.or {b} (i32.const {})))", self.pick(&[0, 1, 2, 4]))
            }
            5 | 6 => format!("(i64.extend_i32_s {})", self.expr(Type::I32, depth_left)),
            7 => {
                let op = self.pick(&["clz", "ctz", "popcnt", "extend8_s", "extend16_s"]);
                format!("({name}.{op} {})", self.expr(ty, depth_left))
            }
            8 => {
                let arms = (self.expr(ty, depth_left), self.expr(ty, depth_left));
                let cond = self.expr(Type::I32, depth_left);
                format!("(select {} {} (i32.and {cond} (i32.const 3)))", arms.0, arms.1)
            }
            9 => format!("(local.tee {} {})", self.local(ty), self.expr(ty, depth_left)),
            10 => {
                let offset = self.pick(&[0, 4, 5, 65000, 65532]);
                let op = self.pick(&["load", "load8_u", "load8_s", "load16_u", "load16_s"]);
                format!("({name}.{op} offset={offset} {})", self.address(depth_left))
            }
            11 => {
                let cond = self.expr(Type::I32, depth_left);
                self.labels.push(Some(ty));
                let (then, otherwise) = (self.body(Some(ty), depth_left), self.body(Some(ty), depth_left));
                self.labels.pop();
                format!("(if (result {name}) {cond} (then {then}) (else {otherwise}))")
            }
            12 | 13 => {
                self.labels.push(Some(ty));
                let body = self.body(Some(ty), depth_left);
                self.labels.pop();
                format!("(block (result {name}) {body})")
            }
            14 if self.callable > 0 => {
                let function = self.next(self.callable as u64);
                let args = (self.expr(Type::I32, depth_left), self.expr(Type::I64, depth_left));
                let call = match self.next(4) {
                    0 => format!(
                        "(call_indirect (type $f) {} (i32.const 3) {} {})",
                        args.0,
                        args.1,
                        format_args!("(i32.const {})", self.pick(&[0, 1, 1, 1, 5, 9]))
                    ),
                    _ => format!("(call {} {} (i32.const 5) {})", function + 1, args.0, args.1),
                };
                match ty {
                    Type::I32 => format!("(i32.wrap_i64 {call})"),
                    Type::I64 => call,
                }
            }
            14 => format!("(global.get ${name})"),
            _ => match ty {
                Type::I32 => format!("(i32.wrap_i64 {})", self.expr(Type::I64, depth_left)),
                Type::I64 => format!("(i64.extend_i32_u {})", self.expr(Type::I32, depth_left)),
            },
        }
    }

    fn address(&mut self, depth: u32) -> String {
        let mask = self.pick(&[0xff, 0xffff, 0x1_ffff]);
        format!("(i32.and {} (i32.const {mask}))", self.expr(Type::I32, depth))
    }

    /// Statements, then an expression if a result is wanted.
    fn body(&mut self, result: Option<Type>, depth: u32) -> String {
        let mut body = String::new();
        for _ in 0..self.next(3) {
            body += &self.statement(depth);
        }
        if let Some(ty) = result {
            body += &self.expr(ty, depth);
        }
        body
    }

    fn statement(&mut self, depth: u32) -> String {
        let ty = self.pick(&[Type::I32, Type::I64]);
        let (name, depth_left) = (ty.name(), depth.saturating_sub(1));
        match self.next(12) {
            0..=2 => format!("(local.set {} {})\n", self.local(ty), self.expr(ty, depth)),
            3 => {
                let op = self.pick(&["store", "store8", "store16"]);
                let (address, value) = (self.address(depth_left), self.expr(ty, depth_left));
                format!("({name}.{op} offset={} {address} {value})\n", self.pick(&[0, 4, 65000]))
            }
            4 => format!("(global.set ${name} {})\n", self.expr(ty, depth_left)),
            5 if depth > 0 => {
                let cond = self.expr(Type::I32, depth_left);
                self.labels.push(None);
                let (then, otherwise) = (self.body(None, depth_left), self.body(None, depth_left));
                self.labels.pop();
                match self.next(2) {
                    0 => format!("(if {cond} (then {then}))\n"),
                    _ => format!("(if {cond} (then {then}) (else {otherwise}))\n"),
                }
            }
            6 if depth > 0 => {
                self.labels.push(None);
                let body = self.body(None, depth_left) + &self.statement(depth_left);
                self.labels.pop();
                format!("(block {body})\n")
            }
            7 | 8 if depth > 0 && self.loops < 2 => self.repeat(depth_left),
            9 => self.branch(depth_left),
            10 if self.next(4) == 0 => "(drop (memory.grow (i32.const 1)))\n".into(),
            _ => format!("(drop {})\n", self.expr(ty, depth_left)),
        }
    }

    /// A loop that runs at most five times and may be continued from within.
    fn repeat(&mut self, depth: u32) -> String {
        let counter = 8 + self.loops;
        self.loops += 1;
        // The guard around the counter makes every `continue` count.
        self.labels.extend([None, None]);
        let body = self.body(None, depth) + &self.statement(depth);
        let cond = self.expr(Type::I32, depth);
        self.labels.truncate(self.labels.len() - 2);
        self.loops -= 1;
        format!(
            "(local.set {counter} (i32.const 5))
             (block (loop
               (br_if 1 (i32.eqz (local.tee {counter} (i32.sub (local.get {counter}) (i32.const 1)))))
               {body}
               (br_if 0 {cond})))\n"
        )
    }

    fn branch(&mut self, depth: u32) -> String {
        let target = self.next(self.labels.len() as u64) as usize;
        let result = self.labels[self.labels.len() - 1 - target];
        let cond = self.expr(Type::I32, depth);
        let value = result.map(|ty| self.expr(ty, depth)).unwrap_or_default();
        let has_same_type = |depth: &u64| self.labels[self.labels.len() - 1 - *depth as usize] == result;
        let alike: Vec<u64> = (0..self.labels.len() as u64).filter(has_same_type).collect();
        match (self.next(5), result) {
            (0, _) => format!("(br {target} {value})\n"),
            (1, _) => {
                let targets: Vec<String> = (0..3).map(|_| self.pick(&alike).to_string()).collect();
                format!("(br_table {} {value} {cond})\n", targets.join(" "))
            }
            (_, None) => format!("(br_if {target} {cond})\n"),
            (_, Some(_)) => format!("(drop (br_if {target} {value} {cond}))\n"),
        }
    }

    fn module(&mut self) -> String {
        let mut module = String::from(
            "(module (import \"env\" \"mix\" (func $mix (param i32 i32 i64) (result i64)))
             (type $f (func (param i32 i32 i64) (result i64)))
             (memory (export \"memory\") 1 4) (table 8 funcref) (elem (i32.const 0) $mix $a)
             (global $i32 (mut i32) (i32.const 9)) (global $i64 (mut i64) (i64.const -9))
             (data (i32.const 0) \"\\01\\80\\ff\\7f\\00\\00\\00\\01\\fe\")\n",
        );
        for (index, name) in ["a", "b"].iter().enumerate() {
            self.callable = index;
            self.labels = vec![Some(Type::I64)];
            let statements: String = (0..5).map(|_| self.statement(4)).collect();
            let body = statements + &self.body(Some(Type::I64), 5);
            module += &format!(
                "(func ${name} (export \"{name}\") (param i32 i32 i64) (result i64)
                   (local i32 i32 i32 i64 i64 i32 i32)\n{body})\n"
            );
        }
        module + ")"
    }
}

#[test]
fn random_programs() {
    for seed in 0..PROGRAMS {
        let mut generator = Generator { state: seed << 20, labels: vec![], loops: 0, callable: 0 };
        let text = generator.module();
        let run = || Program::new(&text).check_all(&WORDS);
        if let Err(panic) = std::panic::catch_unwind(run) {
            eprintln!("seed {seed}:\n{text}");
            std::panic::resume_unwind(panic);
        }
    }
}
