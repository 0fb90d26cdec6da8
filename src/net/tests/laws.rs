//! The laws of set algebra for each type of set, and tests of the other operations.

use super::*;

/// Turns each law into a generic function and into a property test for each type of set. A law holds
/// for any three sets `a`, `b`, `c`, which are subsets of `all`.
macro_rules! laws {
    (|$a:ident, $b:ident, $c:ident, $all:ident| $($name:ident: $law:expr;)*) => {
        mod law {
            use super::*;
            $(
                #[allow(unused_variables, reason = "few laws use all of them")]
                pub(super) fn $name<S: Set + Canonical>($a: &S, $b: &S, $c: &S, $all: &S) -> bool {
                    $law
                }
            )*
        }

        mod of_interval_sets {
            use super::*;
            proptest! {
                #![proptest_config(ProptestConfig::with_cases(256))]
                $(
                    #[test]
                    fn $name(
                        a in interval_set::<u8>(),
                        b in interval_set::<u8>(),
                        c in interval_set::<u8>(),
                    ) {
                        prop_assert!(law::$name(&a, &b, &c, &IntervalSet::full()));
                    }
                )*
            }
        }

        mod of_layers {
            use super::*;
            proptest! {
                #![proptest_config(ProptestConfig::with_cases(96))]
                $(
                    #[test]
                    fn $name(
                        a in layers::<u8, u8>(),
                        b in layers::<u8, u8>(),
                        c in layers::<u8, u8>(),
                    ) {
                        let all = Layers::product(&IntervalSet::full(), &IntervalSet::full());
                        prop_assert!(law::$name(&a, &b, &c, &all));
                    }
                )*
            }
        }

        mod of_traffic {
            use super::*;
            proptest! {
                #![proptest_config(ProptestConfig::with_cases(48))]
                $(
                    #[test]
                    fn $name(a in traffic(), b in traffic(), c in traffic()) {
                        prop_assert!(law::$name(&a, &b, &c, &all_traffic()));
                    }
                )*
            }
        }
    };
}

laws! { |a, b, c, all|
    results_are_canonical: [a.union(b), a.intersection(b), a.difference(b), all.difference(a)]
        .iter()
        .all(Canonical::is_canonical);

    union_is_idempotent: a.union(a) == *a;
    union_is_commutative: a.union(b) == b.union(a);
    union_is_associative: a.union(b).union(c) == a.union(&b.union(c));
    union_with_the_empty_set_changes_nothing: a.union(&S::empty()) == *a;
    union_with_all_is_all: a.union(all) == *all;

    intersection_is_idempotent: a.intersection(a) == *a;
    intersection_is_commutative: a.intersection(b) == b.intersection(a);
    intersection_is_associative:
        a.intersection(b).intersection(c) == a.intersection(&b.intersection(c));
    intersection_with_the_empty_set_is_empty: a.intersection(&S::empty()).is_empty();
    intersection_with_all_changes_nothing: a.intersection(all) == *a;

    union_absorbs_intersection: a.union(&a.intersection(b)) == *a;
    intersection_absorbs_union: a.intersection(&a.union(b)) == *a;
    intersection_distributes_over_union:
        a.intersection(&b.union(c)) == a.intersection(b).union(&a.intersection(c));
    union_distributes_over_intersection:
        a.union(&b.intersection(c)) == a.union(b).intersection(&a.union(c));

    complement_of_complement_is_the_set: all.difference(&all.difference(a)) == *a;
    complement_is_disjoint: a.intersection(&all.difference(a)).is_empty();
    complement_and_set_make_up_all: a.union(&all.difference(a)) == *all;
    de_morgan_for_union:
        all.difference(&a.union(b)) == all.difference(a).intersection(&all.difference(b));
    de_morgan_for_intersection:
        all.difference(&a.intersection(b)) == all.difference(a).union(&all.difference(b));
    de_morgan_relative_for_union:
        c.difference(&a.union(b)) == c.difference(a).intersection(&c.difference(b));
    de_morgan_relative_for_intersection:
        c.difference(&a.intersection(b)) == c.difference(a).union(&c.difference(b));

    difference_with_itself_is_empty: a.difference(a).is_empty();
    difference_of_the_empty_set_is_empty: S::empty().difference(a).is_empty();
    difference_with_the_empty_set_changes_nothing: a.difference(&S::empty()) == *a;
    difference_is_intersection_with_complement:
        a.difference(b) == a.intersection(&all.difference(b));
    difference_of_a_union: a.union(b).difference(c) == a.difference(c).union(&b.difference(c));
    difference_twice_is_difference_of_union:
        a.difference(b).difference(c) == a.difference(&b.union(c));
    difference_of_a_difference:
        a.difference(&b.difference(c)) == a.difference(b).union(&a.intersection(c));
    intersection_moves_into_difference:
        a.intersection(&b.difference(c)) == a.intersection(b).difference(c);
    difference_and_intersection_are_a_partition:
        a.difference(b).union(&a.intersection(b)) == *a
            && a.difference(b).intersection(&a.intersection(b)).is_empty();
    disjoint_exactly_if_difference_changes_nothing:
        a.intersection(b).is_empty() == (a.difference(b) == *a);
    symmetric_difference_is_the_same_both_ways: a.difference(b).union(&b.difference(a))
        == a.union(b).difference(&a.intersection(b));

    subset_exactly_if_intersection_changes_nothing: pairs(a, b)
        .all(|(a, b)| a.is_subset_of(&b) == (a.intersection(&b) == a));
    subset_exactly_if_union_changes_nothing: pairs(a, b)
        .all(|(a, b)| a.is_subset_of(&b) == (a.union(&b) == b));
    subset_exactly_if_disjoint_from_complement: pairs(a, b).all(|(a, b)| {
        a.is_subset_of(&b) == a.intersection(&all.difference(&b)).is_empty()
    });
    subset_is_reflexive: a.is_subset_of(a);
    subset_is_antisymmetric: pairs(a, b)
        .all(|(a, b)| (a.is_subset_of(&b) && b.is_subset_of(&a)) == (a == b));
    subset_is_transitive: {
        let (small, large) = (a.intersection(b), b.union(c));
        small.is_subset_of(b) && b.is_subset_of(&large) && small.is_subset_of(&large)
    };
    complement_reverses_subset: pairs(a, b).all(|(a, b)| {
        a.is_subset_of(&b) == all.difference(&b).is_subset_of(&all.difference(&a))
    });
    operations_preserve_subset: {
        let small = a.intersection(b);
        small.union(c).is_subset_of(&a.union(c))
            && small.intersection(c).is_subset_of(&a.intersection(c))
            && small.difference(c).is_subset_of(&a.difference(c))
            && c.difference(a).is_subset_of(&c.difference(&small))
    };
    empty_set_and_all_are_the_bounds: S::empty().is_subset_of(a) && a.is_subset_of(all);
    there_is_one_empty_set: a.is_empty() == (*a == S::empty());
}

/// Two sets, and pairs made from them of which one is a subset of the other. Random sets rarely are.
fn pairs<S: Set>(a: &S, b: &S) -> impl Iterator<Item = (S, S)> {
    let (both, either) = (a.intersection(b), a.union(b));
    [
        (a.clone(), b.clone()),
        (both.clone(), b.clone()),
        (b.clone(), both),
        (a.clone(), either.clone()),
        (either.difference(b), a.clone()),
    ]
    .into_iter()
}

proptest! {
    #[test]
    fn interval_set_membership(a in interval_set::<u8>(), b in interval_set::<u8>()) {
        let (union, both, only) = (a.union(&b), a.intersection(&b), a.difference(&b));
        for x in 0..=u8::MAX {
            let (in_a, in_b) = (a.contains(x), b.contains(x));
            let by_scan = a.intervals().iter().any(|i| i.first() <= x && x <= i.last());
            prop_assert_eq!(in_a, by_scan);
            prop_assert_eq!(union.contains(x), in_a || in_b);
            prop_assert_eq!(both.contains(x), in_a && in_b);
            prop_assert_eq!(only.contains(x), in_a && !in_b);
        }
    }

    #[test]
    fn interval_set_is_the_union_of_intervals_in_any_order(intervals in vec(interval::<u8>(), 0..6)) {
        let set: IntervalSet<u8> = intervals.iter().copied().collect();
        prop_assert!(set.is_canonical());
        for x in 0..=u8::MAX {
            prop_assert_eq!(
                set.contains(x),
                intervals.iter().any(|i| i.first() <= x && x <= i.last())
            );
        }
        prop_assert_eq!(&set, &intervals.iter().rev().copied().collect());
        // Point by point from the highest: all intervals touch and none overlap.
        let points = (0..=u8::MAX).rev().filter(|x| set.contains(*x));
        prop_assert_eq!(&set, &points.map(|x| Interval::new(x, x)).collect());
    }

    #[test]
    fn interval_set_is_full_exactly_if_its_complement_is_empty(a in interval_set::<u8>()) {
        let rest = IntervalSet::full().difference(&a);
        prop_assert_eq!(a.is_full(), rest.is_empty());
        prop_assert!(a.union(&rest).is_full());
    }

    #[test]
    fn interval_intersection_matches_that_of_sets(a in interval::<u8>(), b in interval::<u8>()) {
        let both: IntervalSet<u8> = a.intersection(&b).into_iter().collect();
        prop_assert_eq!(both, IntervalSet::from(a).intersection(&b.into()));
    }

    #[test]
    fn interval_accepts_its_ends_in_either_order(a in any::<u8>(), b in any::<u8>()) {
        prop_assert_eq!(Interval::new(a, b), Interval::new(b, a));
        prop_assert!(Interval::new(a, b).first() <= Interval::new(a, b).last());
    }

    #[test]
    fn layers_at_finds_the_interval_of_a_key(a in layers::<u8, u8>()) {
        for key in 0..=u8::MAX {
            let by_scan = a
                .layers()
                .iter()
                .find(|(keys, _)| keys.first() <= key && key <= keys.last())
                .map(|(_, rest)| rest);
            prop_assert_eq!(a.at(key), by_scan);
        }
    }

    #[test]
    fn layers_combine_key_by_key(a in layers::<u8, u8>(), b in layers::<u8, u8>()) {
        let (union, both, only) = (a.union(&b), a.intersection(&b), a.difference(&b));
        for key in 0..=u8::MAX {
            let (v, w) = (rest_at(&a, key), rest_at(&b, key));
            prop_assert_eq!(rest_at(&union, key), v.union(&w));
            prop_assert_eq!(rest_at(&both, key), v.intersection(&w));
            prop_assert_eq!(rest_at(&only, key), v.difference(&w));
        }
    }

    #[test]
    fn product_gives_each_key_all_of_the_rest(
        keys in interval_set::<u8>(),
        rest in interval_set::<u8>(),
    ) {
        let product = Layers::product(&keys, &rest);
        prop_assert!(product.is_canonical());
        prop_assert_eq!(product.is_empty(), keys.is_empty() || rest.is_empty());
        for key in 0..=u8::MAX {
            let expected = if keys.contains(key) { rest.clone() } else { IntervalSet::empty() };
            prop_assert_eq!(rest_at(&product, key), expected);
        }
    }

    #[test]
    fn product_distributes(
        a in interval_set::<u8>(),
        b in interval_set::<u8>(),
        v in interval_set::<u8>(),
        w in interval_set::<u8>(),
    ) {
        let product = Layers::product;
        prop_assert_eq!(product(&a.union(&b), &v), product(&a, &v).union(&product(&b, &v)));
        prop_assert_eq!(product(&a, &v.union(&w)), product(&a, &v).union(&product(&a, &w)));
        prop_assert_eq!(
            product(&a.intersection(&b), &v.intersection(&w)),
            product(&a, &v).intersection(&product(&b, &w))
        );
        prop_assert_eq!(
            product(&a, &v).difference(&product(&b, &w)),
            product(&a.difference(&b), &v).union(&product(&a, &v.difference(&w)))
        );
    }

    #[test]
    fn within_is_intersection_with_everything_for_the_keys(
        a in layers::<u8, u8>(),
        keys in interval_set::<u8>(),
    ) {
        let within = a.within(&keys);
        prop_assert!(within.is_canonical());
        prop_assert_eq!(
            &within,
            &a.intersection(&Layers::product(&keys, &IntervalSet::full()))
        );
        let outside = a.within(&IntervalSet::full().difference(&keys));
        prop_assert!(within.intersection(&outside).is_empty());
        prop_assert_eq!(within.union(&outside), a);
    }

    #[test]
    fn zip_with_intersection_is_intersection(a in layers::<u8, u8>(), b in layers::<u8, u8>()) {
        prop_assert_eq!(a.zip_with(&b, Set::intersection), a.intersection(&b));
    }

    #[test]
    fn zip_with_works_key_by_key(
        a in layers::<u8, u8>(),
        b in layers::<u8, u16>(),
    ) {
        // Few different results, one of them empty, so that neighbours are often equal.
        let f = |v: &IntervalSet<u8>, w: &IntervalSet<u16>| -> IntervalSet<u32> {
            match (v.contains(2), w.contains(22)) {
                (true, true) => IntervalSet::full(),
                (false, false) => Interval::new(1, 2).into(),
                _ => IntervalSet::empty(),
            }
        };
        let zipped = a.zip_with(&b, f);
        prop_assert!(zipped.is_canonical());
        for key in 0..=u8::MAX {
            let expected = match (a.at(key), b.at(key)) {
                (Some(v), Some(w)) => f(v, w),
                _ => IntervalSet::empty(),
            };
            prop_assert_eq!(zipped.at(key).cloned().unwrap_or_else(Set::empty), expected);
        }
    }

    #[test]
    fn map_works_key_by_key(a in layers::<u8, u8>(), keep in interval_set::<u8>()) {
        prop_assert_eq!(a.map(Clone::clone), a.clone());
        let mapped = a.map(|rest| rest.intersection(&keep));
        prop_assert!(mapped.is_canonical());
        for key in 0..=u8::MAX {
            prop_assert_eq!(rest_at(&mapped, key), rest_at(&a, key).intersection(&keep));
        }
    }

    #[test]
    fn flatten_is_the_union_over_all_keys(a in layers::<u8, u8>()) {
        let all = (0..=u8::MAX).fold(IntervalSet::empty(), |all, key| all.union(&rest_at(&a, key)));
        prop_assert_eq!(a.flatten(), all);
    }
}

fn rest_at(layers: &Layers<u8, IntervalSet<u8>>, key: u8) -> IntervalSet<u8> {
    layers.at(key).cloned().unwrap_or_else(Set::empty)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn traffic_of_unions_is_union_of_traffic(
        cells in layers(),
        more in layers(),
        ipv4 in interval_set(),
        ipv6 in interval_set(),
        references in reference_set(),
    ) {
        let traffic = |cells: &Cells| Traffic::new(cells, &ipv4, &ipv6, &references);
        prop_assert!(traffic(&cells).is_canonical());
        prop_assert_eq!(traffic(&cells.union(&more)), traffic(&cells).union(&traffic(&more)));
        prop_assert_eq!(
            traffic(&cells.difference(&more)),
            traffic(&cells).difference(&traffic(&more))
        );
        let (no4, no6, none) =
            (IntervalSet::empty(), IntervalSet::empty(), ReferenceSet::empty());
        prop_assert_eq!(
            traffic(&cells),
            Traffic::new(&cells, &ipv4, &no6, &none)
                .union(&Traffic::new(&cells, &no4, &ipv6, &none))
                .union(&Traffic::new(&cells, &no4, &no6, &references))
        );
    }

    #[test]
    fn union_of_parts_equals_joining_them_one_by_one(parts in vec(traffic(), 0..6)) {
        let one_by_one = parts.iter().fold(Traffic::empty(), |all, part| all.union(part));
        prop_assert_eq!(Traffic::union_of(parts), one_by_one);
    }

    #[test]
    fn within_cells_is_intersection_with_all_peers_of_the_cells(a in traffic(), cells in layers()) {
        let everybody = Traffic::new(
            &cells,
            &IntervalSet::full(),
            &IntervalSet::full(),
            &references().into_iter().collect(),
        );
        prop_assert!(a.within(&cells).is_canonical());
        prop_assert_eq!(a.within(&cells), a.intersection(&everybody));
        prop_assert_eq!(a.within(&all_cells().difference(&cells)), a.difference(&everybody));
        prop_assert_eq!(a.within(&all_cells()), a);
    }

    #[test]
    fn among_is_intersection_with_all_traffic_of_the_addresses(
        a in traffic(),
        ipv4 in interval_set(),
        ipv6 in interval_set(),
    ) {
        let theirs = Traffic::new(&all_cells(), &ipv4, &ipv6, &ReferenceSet::empty());
        prop_assert!(a.among(&ipv4, &ipv6).is_canonical());
        prop_assert_eq!(a.among(&ipv4, &ipv6), a.intersection(&theirs));
    }

    #[test]
    fn cells_are_exactly_those_with_traffic(a in traffic(), b in traffic()) {
        let cells = a.cells();
        prop_assert!(cells.is_canonical());
        prop_assert_eq!(cells.is_empty(), a.is_empty());
        prop_assert_eq!(&a.within(&cells), &a);
        prop_assert!(a.within(&all_cells().difference(&cells)).is_empty());
        prop_assert_eq!(a.union(&b).cells(), cells.union(&b.cells()));
        prop_assert!(a.intersection(&b).cells().is_subset_of(&cells));
    }

    #[test]
    fn cells_of_a_reference_are_those_it_is_a_peer_of(a in traffic()) {
        for reference in references() {
            let only: ReferenceSet = std::iter::once(reference.clone()).collect();
            let all = all_traffic().references;
            let expected = Traffic {
                references: all.map(|ports| ports.map(|peers| peers.intersection(&only))),
                ..Traffic::empty()
            }
            .intersection(&a);
            let cells = a.cells_of(&reference);
            prop_assert!(cells.is_canonical());
            prop_assert_eq!(
                Traffic::new(&cells, &IntervalSet::empty(), &IntervalSet::empty(), &only),
                expected
            );
        }
    }

    #[test]
    fn cells_of_anybody_are_those_that_miss_no_address(a in traffic(), open in layers()) {
        // Without this union there would rarely be any.
        let everybody = |cells: &Cells| {
            Traffic::new(cells, &IntervalSet::full(), &IntervalSet::full(), &Set::empty())
        };
        let a = a.union(&everybody(&open));
        let anybody = a.cells_of_anybody();
        prop_assert!(anybody.is_canonical());
        prop_assert!(open.is_subset_of(&anybody));
        let missing = everybody(&all_cells()).difference(&a).cells();
        prop_assert_eq!(anybody, all_cells().difference(&missing));
    }

    #[test]
    fn peers_are_the_smallest_sets_that_cover_the_traffic(a in traffic()) {
        let (ipv4, ipv6, references) = (a.peers_ipv4(), a.peers_ipv6(), a.peers_by_reference());
        let cells = a.cells();
        prop_assert!(a.is_subset_of(&Traffic::new(&cells, &ipv4, &ipv6, &references)));
        prop_assert_eq!(
            a.among(&ipv4, &ipv6),
            Traffic { references: Layers::empty(), ..a.clone() }
        );
        // Leaving out any interval or reference loses traffic.
        for interval in ipv4.intervals() {
            let fewer = ipv4.difference(&(*interval).into());
            prop_assert!(a.among(&fewer, &ipv6) != a.among(&ipv4, &ipv6));
        }
        for interval in ipv6.intervals() {
            let fewer = ipv6.difference(&(*interval).into());
            prop_assert!(a.among(&ipv4, &fewer) != a.among(&ipv4, &ipv6));
        }
        for reference in self::references() {
            prop_assert_eq!(
                references.contains(&reference),
                !a.cells_of(&reference).is_empty()
            );
        }
    }
}
