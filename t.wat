(module (memory 2) (func (export "e") (param i32 i32 i64 i64 i64) (local i64 i64 i64 i64 i64 i64 i64 i64)
local.get 3
i64.const 32
i64.shr_u
local.tee 4
local.get 1
i32.const 2
i32.shl
i32.const 2246822535
i32.add
i64.extend_i32_u
local.tee 5
i64.mul
local.tee 6
local.get 3
i64.const 4294967295
i64.and
local.tee 7
i64.const 2654435761
i64.mul
i64.add
local.tee 3
i64.const 32
i64.shr_u
local.get 4
i64.const 2654435761
i64.mul
i64.add
i64.const 4294967296
i64.const 0
local.get 3
local.get 6
i64.lt_u
select
i64.add
local.get 3
i64.const 32
i64.shl
local.tee 4
local.get 7
local.get 5
i64.mul
i64.add
local.tee 3
i64.const 1
i64.shl
i64.add
local.get 3
local.get 4
i64.lt_u
i64.extend_i32_u
i64.add
local.tee 4
drop
local.get 0 local.get 4 i64.store offset=0
))