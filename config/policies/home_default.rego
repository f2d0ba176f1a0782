# Allows every request: the word that counts when no other policy has an opinion.
#
# It is the file that `policies.default` names, and `policies.files.default.action` says what
# becomes of its word: with `action: block` whatever no other policy allows is blocked.
package yori.home_default

allow := true
