;; Products of many short vectors of whole numbers with one, by SIMD. `products.js` holds the same module in binary; a
;; test compiles this text and compares, and says what the binary should be.
(module
  (memory (export "memory") 1)
  ;; For each of `cells` vectors of `components` int8 from `codes` on (a multiple of 8), its product with the int16 from
  ;; `weights` on, as int32, from `sums` on. The caller sees to it that no sum overflows.
  (func (export "products")
    (param $codes i32) (param $cells i32) (param $weights i32) (param $components i32) (param $sums i32)
    (local $end i32) (local $last i32) (local $weight i32) (local $sum v128)
    (local.set $end (i32.add (local.get $codes) (i32.mul (local.get $cells) (local.get $components))))
    (block $done
      (loop $cell
        (br_if $done (i32.ge_u (local.get $codes) (local.get $end)))
        (local.set $sum (v128.const i32x4 0 0 0 0))
        (local.set $weight (local.get $weights))
        (local.set $last (i32.add (local.get $codes) (local.get $components)))
        (loop $component
          (local.set $sum
            (i32x4.add
              (local.get $sum)
              (i32x4.dot_i16x8_s (v128.load8x8_s (local.get $codes)) (v128.load (local.get $weight)))))
          (local.set $codes (i32.add (local.get $codes) (i32.const 8)))
          (local.set $weight (i32.add (local.get $weight) (i32.const 16)))
          (br_if $component (i32.lt_u (local.get $codes) (local.get $last))))
        (i32.store
          (local.get $sums)
          (i32.add
            (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
            (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))
        (local.set $sums (i32.add (local.get $sums) (i32.const 4)))
        (br $cell))))
)
