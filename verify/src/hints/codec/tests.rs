//! Round trips, truncations and damage.

use super::*;

/// A small generator: xorshift, so that each seed names one set of hints.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    /// A number of random magnitude, so that short and long encodings both occur.
    fn number(&mut self) -> u32 {
        let bits = self.below(33);
        (self.below(1 << 32) as u32).checked_shr(32 - bits as u32).unwrap_or(0)
    }

    fn optional(&mut self) -> Option<u32> {
        (self.below(2) == 0).then(|| self.number())
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(5)).map(|_| item(self)).collect()
    }

    fn location(&mut self) -> Location {
        match self.below(3) {
            0 => Location::Core(self.below(15) as u8),
            1 => Location::Single(self.below(32) as u8),
            _ => Location::Stack(self.number() as i32),
        }
    }

    fn expr(&mut self, index: u32, unknowns: u64) -> Expr {
        let constant = Expr::Const32(self.number());
        if index == 0 {
            return constant;
        }
        let mut earlier = || self.below(u64::from(index)) as u32;
        let (a, b, c) = (earlier(), earlier(), earlier());
        match self.below(27) {
            0 if unknowns > 0 => Expr::Unknown(self.below(unknowns) as u32),
            1 => Expr::Const64(u64::from(self.number()) << 32 | u64::from(self.number())),
            2 => Expr::Un32(UN32[self.below(6) as usize], a),
            3 => Expr::Bin32(BIN32[self.below(14) as usize], a, b),
            4 => Expr::Cmp32(CMP[self.below(3) as usize], a, b),
            5 => Expr::Ite32(a, b, c),
            6 => Expr::Un64(UN64[self.below(6) as usize], a),
            7 => Expr::Bin64(BIN64[self.below(11) as usize], a, b),
            8 => Expr::Cmp64(CMP[self.below(3) as usize], a, b),
            9 => Expr::Ite64(a, b, c),
            10 => Expr::Join(a, b),
            11 => Expr::High(a),
            12 => Expr::Low(a),
            13 => Expr::Base(Base::Memory(self.number())),
            14 => Expr::Base(Base::Instance),
            15 => Expr::Base(Base::Table(self.number())),
            16 => Expr::Load(self.number(), 1 << self.below(3), a),
            17 => Expr::Global32(self.number()),
            18 => Expr::Global64(self.number()),
            19 => Expr::MemoryBytes(self.number()),
            20 => Expr::TableEntry(self.number(), a),
            21 => Expr::ReferenceType(a),
            22 => {
                let all = Float::all();
                let op = all[self.below(all.len() as u64) as usize];
                if op.operands().len() == 1 { Expr::Float1(op, a) } else { Expr::Float2(op, a, b) }
            }
            23 => Expr::Base(Base::Results),
            24 => Expr::Base(Base::Functions),
            25 => Expr::ReferenceCode(a),
            _ => constant,
        }
    }

    fn cut(&mut self, at: u32) -> Cut {
        let unknowns = self.list(|random| Unknown {
            key: random.number(),
            sort: if random.below(2) == 0 { Sort::W32 } else { Sort::W64 },
            shown: match random.below(4) {
                0 => Shown::Nowhere,
                1 => Shown::Result(random.number(), random.number()),
                2 => Shown::Local(random.number(), random.number()),
                _ => Shown::Stack(random.number(), random.number()),
            },
        });
        let count = self.below(30) + 1;
        let nodes: Vec<Expr> = (0..count as u32).map(|index| self.expr(index, unknowns.len() as u64)).collect();
        let slot = |random: &mut Self| (random.below(2) == 0).then(|| random.below(count) as u32);
        Cut {
            at,
            source: self.list(|random| (random.number(), random.number())),
            depth: self.number(),
            unknowns,
            nodes,
            locals: self.list(slot),
            stack: self.list(slot),
            locations: self.list(|random| Located {
                location: random.location(),
                name: random.number(),
                value: random.below(count) as u32,
            }),
            named: self.list(|random| (random.number(), random.below(count) as u32)),
            facts: self.list(|random| random.below(count) as u32),
        }
    }

    fn function(&mut self) -> FunctionHints {
        let (mut cut, mut label, mut join, mut data) = (0, 0, 0, 0);
        let ascend = |random: &mut Self, last: &mut u32| {
            *last += random.below(1000) as u32 + 1;
            *last
        };
        FunctionHints {
            function: self.number(),
            code_bytes: self.number(),
            frame_bytes: self.number(),
            checked_bytes: self.number(),
            cuts: self.list(|random| {
                let at = ascend(random, &mut cut);
                random.cut(at)
            }),
            labels: self.list(|random| Label {
                at: ascend(random, &mut label),
                source: random.optional(),
                class: CLASS[random.below(8) as usize],
                reads: random.list(|random| (random.location(), random.number())),
                writes: random.list(|random| (random.location(), random.number())),
            }),
            joins: self.list(|random| Join {
                at: ascend(random, &mut join),
                from: random.number(),
                renames: random.list(|random| (random.location(), random.number(), random.number())),
            }),
            data: self.list(|random| (ascend(random, &mut data), ascend(random, &mut data))),
        }
    }
}

fn hints(seed: u64) -> Hints {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    Hints {
        wasm_sha256: std::array::from_fn(|_| random.below(256) as u8),
        module_name: "mod\u{e9}".repeat(random.below(3) as usize),
        export_prefix: "p_".repeat(random.below(2) as usize),
        functions: random.list(Random::function),
    }
}

#[test]
fn each_operator_stands_at_its_own_number() {
    assert!(UN32.iter().enumerate().all(|(index, op)| *op as usize == index));
    assert!(BIN32.iter().enumerate().all(|(index, op)| *op as usize == index));
    assert!(UN64.iter().enumerate().all(|(index, op)| *op as usize == index));
    assert!(BIN64.iter().enumerate().all(|(index, op)| *op as usize == index));
    assert!(CMP.iter().enumerate().all(|(index, op)| *op as usize == index));
    assert!(CLASS.iter().enumerate().all(|(index, class)| *class as usize == index));
}

#[test]
fn what_is_written_is_read_back() {
    for seed in 0..500 {
        let hints = hints(seed);
        assert_eq!(decode(&encode(&hints)), Ok(hints), "seed {seed}");
    }
}

#[test]
fn every_prefix_and_every_extension_is_refused() {
    for seed in 0..20 {
        let mut bytes = encode(&hints(seed));
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "seed {seed}, length {length}");
        }
        bytes.push(0);
        assert!(decode(&bytes).is_err(), "seed {seed}");
    }
}

#[test]
fn flipped_bits_are_refused_or_say_exactly_what_they_encode() {
    for seed in 0..20 {
        let bytes = encode(&hints(seed));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(hints) = decode(&flipped) {
                assert_eq!(encode(&hints), flipped, "seed {seed}, bit {bit}");
            }
        }
    }
}

#[test]
fn random_bytes_behind_a_good_header_do_no_harm() {
    let header = encode(&Hints::default());
    let mut random = Random(1);
    for _ in 0..20_000 {
        let mut bytes = header[..header.len() - 1].to_vec();
        bytes.extend((0..random.below(60)).map(|_| (random.number() >> 8) as u8));
        if let Ok(hints) = decode(&bytes) {
            assert_eq!(encode(&hints), bytes);
        }
    }
}

#[test]
fn a_length_beyond_the_section_is_refused_before_anything_is_reserved() {
    let mut bytes = encode(&Hints::default());
    bytes.pop();
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0x0f]);
    let error = decode(&bytes).unwrap_err();
    assert_eq!(error.what, "a sequence longer than the section");
}

fn with_node(expr: Expr) -> Hints {
    let cut = Cut { nodes: vec![expr], ..Cut::default() };
    let function = FunctionHints { cuts: vec![cut], ..FunctionHints::default() };
    Hints { functions: vec![function], ..Hints::default() }
}

#[test]
fn what_a_register_held_at_entry_needs_no_expression() {
    let mut hints = with_node(Expr::Const32(1));
    let cut = &mut hints.functions[0].cuts[0];
    cut.nodes.clear();
    cut.locations = vec![Located { location: Location::Stack(-4), name: ENTRY_NAME + 14, value: 0 }];
    assert_eq!(decode(&encode(&hints)), Ok(hints.clone()));
    hints.functions[0].cuts[0].locations[0].value = 1;
    assert_eq!(decode(&encode(&hints)).unwrap_err().what, "no such node");
}

#[test]
fn references_must_exist() {
    let what = |hints: &Hints| decode(&encode(hints)).unwrap_err().what;
    assert_eq!(what(&with_node(Expr::Un32(Un32::Clz, 0))), "a node that is not earlier");
    assert_eq!(what(&with_node(Expr::Low(7))), "a node that is not earlier");
    assert_eq!(what(&with_node(Expr::Unknown(0))), "no such unknown");
    let mut hints = with_node(Expr::Const32(1));
    hints.functions[0].cuts[0].facts = vec![1];
    assert_eq!(what(&hints), "no such node");
}

#[test]
fn offsets_must_ascend() {
    let mut hints = with_node(Expr::Const32(1));
    let cut = hints.functions[0].cuts[0].clone();
    hints.functions[0].cuts.push(cut);
    assert_eq!(decode(&encode(&hints)).unwrap_err().what, "an offset that does not ascend");
}

#[test]
fn text_names_every_part() {
    let mut hints = with_node(Expr::Const32(1));
    hints.functions[0].labels.push(Label {
        at: 4,
        source: Some(0x20),
        class: Class::Frame,
        reads: vec![(Location::Core(4), ENTRY_NAME + 4)],
        writes: vec![(Location::Stack(-8), 3)],
    });
    let text = to_text(&hints);
    assert!(text.contains("n0 = Const32(1)"), "{text}");
    assert!(text.contains("0x0004 Frame for wasm 0x20: ([entry-8]:v3) <- (r4:entry4)"), "{text}");
}
