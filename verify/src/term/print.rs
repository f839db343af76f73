//! Terms as text, for reports and tests: `(add x#0 4)`, shared subterms written again up to a depth.

use std::fmt;

use super::node::{Arena, Id, Node, children};

/// Shows a term of an arena.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    arena: &'a Arena,
    id: Id,
    depth: u32,
}

/// A term as text, subterms deeper than 8 levels as their number.
pub fn show(arena: &Arena, id: Id) -> Shown<'_> {
    Shown { arena, id, depth: 8 }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.arena.node(self.id);
        match node {
            Node::Symbol(symbol) => return write!(out, "{}", self.arena.unique_name(*symbol)),
            Node::Bool(value) => return write!(out, "{value}"),
            Node::Const(value) => return write!(out, "{value:#x}"),
            Node::Const64(value) => return write!(out, "{value:#x}l"),
            _ if self.depth == 0 => return write!(out, "@{}", self.id.index()),
            Node::Linear(sum) => return self.linear(out, &sum.monomials, sum.constant),
            _ => write!(out, "({}", head(self.arena, node))?,
        }
        for child in children(node) {
            write!(out, " {}", self.at(child))?;
        }
        write!(out, ")")
    }
}

impl<'a> Shown<'a> {
    fn at(&self, id: Id) -> Shown<'a> {
        Shown { arena: self.arena, id, depth: self.depth - 1 }
    }

    fn linear(&self, out: &mut fmt::Formatter<'_>, monomials: &[(Id, u32)], constant: u32) -> fmt::Result {
        write!(out, "(sum")?;
        for (id, factor) in monomials {
            match *factor {
                1 => write!(out, " {}", self.at(*id))?,
                factor => write!(out, " {}*{}", factor as i32, self.at(*id))?,
            }
        }
        if constant != 0 {
            write!(out, " {:#x}", constant)?;
        }
        write!(out, ")")
    }
}

/// The operator of a node, with what it has besides operands.
fn head(arena: &Arena, node: &Node) -> String {
    match node {
        Node::Symbol(_) | Node::Bool(_) | Node::Const(_) | Node::Const64(_) => String::new(),
        Node::Apply(function, _) => arena.function_name(*function).to_owned(),
        Node::Ite(..) => "ite".into(),
        Node::Not(_) => "not".into(),
        Node::And(_) => "all".into(),
        Node::Or(..) => "any".into(),
        Node::Cmp32(op, ..) => format!("{op:?}").to_lowercase(),
        Node::Cmp64(op, ..) => format!("{op:?}64").to_lowercase(),
        Node::Carry(..) => "carry".into(),
        Node::SameMem(..) => "same".into(),
        Node::Un32(op, _) => format!("{op:?}").to_lowercase(),
        Node::Bin32(op, ..) => format!("{op:?}").to_lowercase(),
        Node::Linear(_) => "sum".into(),
        Node::Product(_) => "product".into(),
        Node::Bits(bits) => format!("{:?}:{:#x}", bits.op, bits.constant).to_lowercase(),
        Node::High(_) => "high".into(),
        Node::Low(_) => "low".into(),
        Node::Load(width, ..) => format!("load{}", width.bytes()),
        Node::Join(..) => "join".into(),
        Node::Un64(op, _) => format!("{op:?}64").to_lowercase(),
        Node::Bin64(op, ..) => format!("{op:?}64").to_lowercase(),
        Node::Store(width, ..) => format!("store{}", width.bytes()),
        Node::Writes(writes) => {
            let at: Vec<String> = writes.bytes.iter().map(|(at, _)| (*at as i32).to_string()).collect();
            format!("writes[{}]", at.join(","))
        }
    }
}
