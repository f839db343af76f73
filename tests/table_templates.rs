//! The templates over tables, `src/runtime/table_*.wat`: each against wasmi's own operator, over every place and
//! length in small tables and over lengths and places near the ends of 32 bits.

use wasmi::{Engine, Instance, Linker, Module, Store, TrapCode, Val};

/// Entries of each table.
const ENTRIES: u32 = 7;

/// Two tables of functions that are all different, and the operators of the other engine over them.
const TABLES: &str = r#"
  (type $number (func (result i32)))
  (table $to (export "to") 7 12 funcref)
  (table $from (export "from") 7 7 funcref)
  (func (export "reset")
    (table.init $to $initial (i32.const 0) (i32.const 0) (i32.const 7))
    (table.init $from $initial (i32.const 0) (i32.const 7) (i32.const 7)))
  (func (export "function") (param i32) (result funcref) (table.get $from (local.get 0)))
  (func (export "size") (result i32) (table.size $to))
  (func (export "entry") (param i32) (result i32)
    (if (result i32) (ref.is_null (table.get $to (local.get 0)))
      (then (i32.const -1))
      (else (call_indirect $to (type $number) (local.get 0)))))
  (func (export "table.fill") (param i32 funcref i32)
    (table.fill $to (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table.copy") (param i32 i32 i32)
    (table.copy $to $to (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table.move") (param i32 i32 i32)
    (table.copy $to $from (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table.grow") (param funcref i32) (result i32)
    (table.grow $to (local.get 0) (local.get 1)))"#;

/// The tables, and the function that changes them: the engine's operator, or a template's.
struct Subject {
    store: Store<()>,
    tables: Instance,
    function: wasmi::Func,
}

impl Subject {
    fn new(template: Option<&str>, name: &str) -> Subject {
        let numbers: Vec<String> = (0..2 * ENTRIES).map(|number| format!("$n{number}")).collect();
        let functions: String = numbers
            .iter()
            .zip(0..)
            .map(|(name, number)| format!("(func {name} (result i32) i32.const {number})"))
            .collect();
        let text = format!("(module {TABLES} {functions} (elem $initial func {}))", numbers.join(" "));
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let module = |text: &str| Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let tables = linker.instantiate_and_start(&mut store, &module(&text)).unwrap();
        for side in ["to", "from"] {
            linker.define("table", side, tables.get_table(&store, side).unwrap()).unwrap();
        }
        let holder = match template {
            None => tables,
            Some(text) => linker.instantiate_and_start(&mut store, &module(text)).unwrap(),
        };
        let function = holder.get_func(&store, name).unwrap();
        Subject { store, tables, function }
    }

    fn ask(&mut self, name: &str, arguments: &[Val], results: &mut [Val]) {
        let function = self.tables.get_func(&self.store, name).unwrap();
        function.call(&mut self.store, arguments, results).unwrap();
    }

    fn number(&mut self, name: &str, arguments: &[Val]) -> u32 {
        let mut results = [Val::I32(0)];
        self.ask(name, arguments, &mut results);
        results[0].i32().unwrap().cast_unsigned()
    }

    /// The outcome of a call, and the entries of `to` after it.
    fn call(&mut self, name: &str, arguments: [u32; 3]) -> (Result<u32, TrapCode>, Vec<u32>) {
        self.ask("reset", &[], &mut []);
        let [first, second, third] = arguments.map(|argument| Val::I32(argument.cast_signed()));
        let mut reference = [Val::I32(0)];
        if matches!(name, "table.fill" | "table.grow") {
            self.ask("function", std::slice::from_ref(&second), &mut reference);
        }
        let [reference] = reference;
        let arguments = match name {
            "table.fill" => vec![first, reference, third],
            "table.grow" => vec![reference, third],
            _ => vec![first, second, third],
        };
        let mut results = vec![Val::I32(0); usize::from(name == "table.grow")];
        let called = self.function.call(&mut self.store, &arguments, &mut results);
        // wasmi's own `table.copy` gives an error without a code.
        let ended = called.map_err(|error| error.as_trap_code().unwrap_or(TrapCode::TableOutOfBounds));
        let ended = ended.map(|()| results.first().map_or(0, |result| result.i32().unwrap().cast_unsigned()));
        let size = self.number("size", &[]);
        (ended, (0..size).map(|index| self.number("entry", &[Val::I32(index.cast_signed())])).collect())
    }
}

/// Compares a template with the engine's operator.
#[track_caller]
fn agrees(text: &str, name: &str) {
    let far = [0x7fff_ffff, 0x8000_0000, u32::MAX - ENTRIES, u32::MAX - 1, u32::MAX];
    let numbers: Vec<u32> = (0..ENTRIES + 3).chain(far).collect();
    let second: Vec<u32> = if name == "table.fill" { vec![0, 3] } else { numbers.clone() };
    let (mut ours, mut theirs) = (Subject::new(Some(text), name), Subject::new(None, name));
    for d in &numbers {
        for s in &second {
            for n in &numbers {
                let arguments = [*d, *s, *n];
                assert_eq!(ours.call(name, arguments), theirs.call(name, arguments), "{name}{arguments:x?}");
            }
        }
    }
}

#[test]
fn fill() {
    agrees(include_str!("../src/runtime/table_fill.wat"), "table.fill");
}

#[test]
fn copy() {
    agrees(include_str!("../src/runtime/table_copy.wat"), "table.copy");
}

#[test]
fn move_between() {
    agrees(include_str!("../src/runtime/table_move.wat"), "table.move");
}

/// Growing is not undone, so each length is tried on new tables.
#[test]
fn grow() {
    let (text, name) = (include_str!("../src/runtime/table_grow.wat"), "table.grow");
    for lengths in [[0, 1, 4], [5, 0, 1], [6, 5, 0], [u32::MAX, 2, 4], [3, 0x8000_0000, 2], [1, 1, 1]] {
        let (mut ours, mut theirs) = (Subject::new(Some(text), name), Subject::new(None, name));
        for n in lengths {
            assert_eq!(ours.call(name, [0, 3, n]), theirs.call(name, [0, 3, n]), "{name} {lengths:x?}");
        }
    }
}
