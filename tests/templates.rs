//! The templates, `src/runtime/memory_*.wat`: each against wasmi's own operator, over every place and
//! length in small memories and over lengths and places near the ends of 32 bits.

use wasmi::{Config, Engine, Linker, Memory, MemoryType, Module, Store, TrapCode, Val};

/// Bytes of each memory: a few turns of the loops that move words.
const BYTES: u32 = 40;

/// What the operators do in the other engine.
const OPERATORS: &str = r#"(module
  (import "memory" "to" (memory $to 0 (pagesize 1))) (import "memory" "from" (memory $from 0 (pagesize 1)))
  (func (export "memory.fill") (param i32 i32 i32)
    (memory.fill $to (local.get 0) (local.get 1) (local.get 2)))
  (func (export "memory.copy") (param i32 i32 i32)
    (memory.copy $to $to (local.get 0) (local.get 1) (local.get 2)))
  (func (export "memory.move") (param i32 i32 i32)
    (memory.copy $to $from (local.get 0) (local.get 1) (local.get 2))))"#;

/// A module over two memories, `to` and `from`.
struct Subject {
    store: Store<()>,
    to: Memory,
    from: Memory,
    function: wasmi::Func,
}

impl Subject {
    fn new(text: &str, name: &str, (to, from): (u32, u32)) -> Subject {
        let mut config = Config::default();
        config.wasm_multi_memory(true).wasm_custom_page_sizes(true);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let mut memory = |bytes: u32| {
            let mut ty = MemoryType::builder();
            ty.min(bytes.into()).max(Some(bytes.into())).page_size_log2(0);
            Memory::new(&mut store, ty.build().unwrap()).unwrap()
        };
        let (to, from) = (memory(to), memory(from));
        let mut linker = Linker::new(&engine);
        linker.define("memory", "to", to).unwrap();
        linker.define("memory", "from", from).unwrap();
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        let function = instance.get_func(&store, name).unwrap();
        Subject { store, to, from, function }
    }

    /// Calls over memories whose bytes are all different.
    fn call(&mut self, arguments: [u32; 3]) -> (Result<(), TrapCode>, Vec<u8>, Vec<u8>) {
        for (memory, first) in [(self.to, 1), (self.from, 101)] {
            (first..).zip(memory.data_mut(&mut self.store)).for_each(|(value, byte)| *byte = value);
        }
        let arguments = arguments.map(|argument| Val::I32(argument.cast_signed()));
        let called = self.function.call(&mut self.store, &arguments, &mut []);
        let ended = called.map_err(|error| error.as_trap_code().expect("a trap"));
        (ended, self.to.data(&self.store).to_vec(), self.from.data(&self.store).to_vec())
    }
}

/// Compares a template with the engine's operator over memories of these sizes.
#[track_caller]
fn agrees(text: &str, name: &str, sizes: (u32, u32)) {
    let (mut ours, mut theirs) = (Subject::new(text, name, sizes), Subject::new(OPERATORS, name, sizes));
    let far = [0x7fff_ffff, 0x8000_0000, u32::MAX - BYTES, u32::MAX - 8, u32::MAX - 1, u32::MAX];
    let numbers: Vec<u32> = (0..BYTES + 3).chain(far).collect();
    let second: Vec<u32> = if name == "memory.fill" { vec![0, 0x80, 0xff, 0x1234_56ab] } else { numbers.clone() };
    for d in &numbers {
        for s in &second {
            for n in &numbers {
                let arguments = [*d, *s, *n];
                assert_eq!(ours.call(arguments), theirs.call(arguments), "{name}{arguments:x?} over {sizes:?} bytes");
            }
        }
    }
}

#[test]
fn fill() {
    let text = include_str!("../src/runtime/memory_fill.wat");
    agrees(text, "memory.fill", (BYTES, 0));
    agrees(text, "memory.fill", (0, 0));
}

#[test]
fn copy() {
    let text = include_str!("../src/runtime/memory_copy.wat");
    agrees(text, "memory.copy", (BYTES, 0));
    agrees(text, "memory.copy", (0, 0));
}

#[test]
fn move_between() {
    let text = include_str!("../src/runtime/memory_move.wat");
    for sizes in [(BYTES, BYTES), (BYTES, 17), (17, BYTES), (BYTES, 0), (0, BYTES)] {
        agrees(text, "memory.move", sizes);
    }
}
